//! Comparing tensors with the reference's numbers, on every device.

use burn::tensor::Tensor;

/// Of a tensor's largest value: forward passes in f32.
pub const FORWARD: f32 = 1e-5;
/// Of a tensor's largest value: gradients in f32.
pub const GRADIENT: f32 = 1e-4;

/// Values on the host.
pub async fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data_async().await.expect("a device that can be read");
    data.convert::<f32>().try_to_vec().expect("float values")
}

/// Asserts that `ours` is within `tolerance` of the largest of `theirs`.
pub fn assert_close(what: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}: another number of values");
    let largest = theirs.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    assert_within(what, ours, theirs, tolerance * largest);
}

/// Asserts that `ours` is within `tolerance` of `theirs`, absolutely.
pub fn assert_within(what: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}: another number of values");
    for (index, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}[{index}]: {a} is not {b} (tolerance {tolerance:e})");
    }
}

/// The largest difference of two values at the same place.
pub fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert!(ours.iter().all(|value| value.is_finite()), "values are numbers");
    ours.iter().zip(theirs).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
