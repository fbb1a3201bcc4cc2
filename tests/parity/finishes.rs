//! What follows a linear map in the same pass: bias, leaky ReLU, slopes of another time, a sum.

use burn::tensor::{DType, Device, FloatDType, Tensor};
use r3gan::kernels::{self, Finish};
use r3gan::linear::LinearMap;
use r3gan::random::RandomState;

use crate::compare::{FORWARD, assert_close, assert_within, host};
use crate::kernels::{draw, tensor};
use crate::platform::{HAVE_F16, on_devices};

const SLOPE: f32 = 0.2;

/// Batch, height, width, inputs and the map: whole vectors and none, whole tiles of pixels and none, one pixel and one
/// channel, results too wide for kernels of ours, groups of 8 to 32 channels and others; many tiles.
const LAYERS: [([usize; 4], LinearMap); 17] = [
    ([1, 1, 1, 1], LinearMap::Pointwise { inputs: 1, outputs: 1 }),
    ([3, 1, 1, 64], LinearMap::Pointwise { inputs: 64, outputs: 256 }),
    ([37, 1, 1, 2], LinearMap::Pointwise { inputs: 2, outputs: 12 }),
    ([2, 4, 4, 16], LinearMap::Pointwise { inputs: 16, outputs: 32 }),
    ([1, 3, 5, 8], LinearMap::Pointwise { inputs: 8, outputs: 20 }),
    ([2, 3, 3, 7], LinearMap::Pointwise { inputs: 7, outputs: 5 }),
    ([2, 4, 4, 12], LinearMap::Pointwise { inputs: 12, outputs: 516 }),
    ([2, 1026, 1, 8], LinearMap::Pointwise { inputs: 8, outputs: 128 }),
    ([2, 4, 8, 32], LinearMap::Grouped { channels: 32, groups: 2 }),
    ([2, 3, 16, 24], LinearMap::Grouped { channels: 24, groups: 3 }),
    ([2, 32, 32, 128], LinearMap::Grouped { channels: 128, groups: 8 }),
    ([1, 3, 5, 16], LinearMap::Grouped { channels: 16, groups: 2 }),
    ([3, 5, 4, 64], LinearMap::Grouped { channels: 64, groups: 2 }),
    ([2, 2, 2, 6], LinearMap::Grouped { channels: 6, groups: 6 }),
    ([2, 3, 4, 12], LinearMap::Grouped { channels: 12, groups: 1 }),
    ([2, 1, 1, 8], LinearMap::ExpandBasis { channels: 8 }),
    ([2, 4, 4, 5], LinearMap::ContractBasis { channels: 5 }),
];

fn weights(map: LinearMap) -> usize {
    match map {
        LinearMap::Pointwise { inputs, outputs } => inputs * outputs,
        LinearMap::Grouped { channels, groups } => channels * channels / groups * 9,
        LinearMap::ExpandBasis { channels } | LinearMap::ContractBasis { channels } => channels * 16,
        LinearMap::Project { features, classes } => features * classes,
    }
}

/// Asserts that values are near where the sum under the activation is far enough from zero for its sign to be certain.
fn assert_certain(what: &str, found: &[f32], expected: &[f32], sums: &[f32], tolerance: f32) {
    let certain = |values: &[f32]| -> Vec<f32> {
        values.iter().zip(sums).filter(|(_, sum)| sum.abs() > tolerance).map(|(value, _)| *value).collect()
    };
    assert_within(what, &certain(found), &certain(expected), tolerance);
}

/// Every finish of every layer in `dtype`, against its parts on the host; `tolerance` is of the largest number that meets.
async fn check(device: &Device, dtype: DType, tolerance: f32) {
    let mut random = RandomState::new(6);
    for (shape, map) in LAYERS {
        let what = format!("{shape:?} {map:?}");
        let cast = |values: &[f32], shape| tensor::<4>(values, shape, device).cast(dtype);
        let x = cast(&draw(&mut random, shape.iter().product()), shape);
        let weight: Tensor<1> = tensor(&draw(&mut random, weights(map)), [weights(map)], device).cast(dtype);
        let plain = map.apply(x.clone(), &weight, None, Finish::Nothing).0;
        let [batch, height, width, channels] = plain.dims();
        let entries = batch * height * width * channels;
        let plain = host(plain).await;
        // Biases and signals are normal numbers.
        let tolerance = tolerance * plain.iter().fold(3.0f32, |most, value| most.max(value.abs()));
        let other = draw(&mut random, entries);
        let signal = cast(&draw(&mut random, entries), [batch, height, width, channels]);

        let (y, _) =
            map.apply(x.clone(), &weight, None, Finish::Add(cast(&other, [batch, height, width, channels])));
        let sums: Vec<f32> = plain.iter().zip(&other).map(|(a, b)| a + b).collect();
        assert_within(&format!("{what}, sum"), &host(y).await, &sums, tolerance);

        // A sampler's pass, with a weight that is laid out before.
        let prepared = map.prepare(&weight);
        let finish = Finish::Add(cast(&other, [batch, height, width, channels]));
        let (y, _) = map.apply_prepared(x.clone(), &prepared, None, finish);
        assert_within(&format!("{what}, prepared, sum"), &host(y).await, &sums, tolerance);
        let (y, _) = map.apply_prepared(x.clone(), &prepared, None, Finish::Nothing);
        assert_within(&format!("{what}, prepared"), &host(y).await, &plain, tolerance);

        // The walks down finish the adjoint: with slopes that a forward pass took, or the other branch's signal.
        let back = map.adjoint(signal.clone(), &weight, None, Finish::Nothing);
        let back_shape = back.dims();
        let back = host(back).await;
        let tolerance_back = tolerance * back.iter().fold(1.0f32, |most, value| most.max(value.abs()));
        let values = draw(&mut random, back.len());
        let finish = Finish::Add(cast(&values, back_shape));
        let found = host(map.adjoint(signal.clone(), &weight, None, finish)).await;
        let expected: Vec<f32> = back.iter().zip(&values).map(|(a, b)| a + b).collect();
        assert_within(&format!("{what}, adjoint and sum"), &found, &expected, tolerance_back);
        let [.., inputs] = back_shape;
        let zeros = cast(&vec![0.0; inputs], [1, 1, 1, inputs]);
        let taken = kernels::finished(cast(&values, back_shape), Finish::Record { bias: zeros }).1;
        let taken = taken.expect("slopes were to be recorded");
        let found = host(map.adjoint(signal.clone(), &weight, None, Finish::Slopes(&taken))).await;
        let slope = |value: f32| if value <= 0.0 { SLOPE } else { 1.0 };
        let expected: Vec<f32> = back.iter().zip(&values).map(|(a, v)| a * slope(*v)).collect();
        assert_within(&format!("{what}, adjoint and slopes"), &found, &expected, tolerance_back);

        // A bias for all samples, and one for each.
        for rows in [1, batch] {
            let values = draw(&mut random, rows * channels);
            let bias = cast(&values, [rows, 1, 1, channels]);
            let place = |entry: usize| entry / (entries / rows) * channels + entry % channels;
            let sums: Vec<f32> =
                plain.iter().enumerate().map(|(entry, y)| y + values[place(entry)]).collect();
            let slopes: Vec<f32> = sums.iter().map(|sum| if *sum <= 0.0 { SLOPE } else { 1.0 }).collect();
            let activated: Vec<f32> = sums.iter().zip(&slopes).map(|(sum, slope)| sum * slope).collect();

            let finish = Finish::Activate { bias: bias.clone() };
            let (y, none) = map.apply(x.clone(), &weight, None, finish);
            assert!(none.is_none());
            assert_within(&format!("{what}, activated"), &host(y).await, &activated, tolerance);

            let finish = Finish::Activate { bias: bias.clone() };
            let (y, _) = map.apply_prepared(x.clone(), &prepared, None, finish);
            assert_within(&format!("{what}, prepared, activated"), &host(y).await, &activated, tolerance);

            let finish = Finish::Record { bias: bias.clone() };
            let (y, recorded) = map.apply(x.clone(), &weight, None, finish);
            let recorded = recorded.expect("slopes were to be recorded");
            assert_within(&format!("{what}, recorded"), &host(y).await, &activated, tolerance);

            let (y, _) = kernels::finished(signal.clone(), Finish::Slopes(&recorded));
            let expected: Vec<f32> =
                host(signal.clone()).await.iter().zip(&slopes).map(|(s, slope)| s * slope).collect();
            assert_certain(&format!("{what}, slopes"), &host(y).await, &expected, &sums, tolerance);

            // Of the opposite input with the same slopes, so that nothing happens to come out right.
            let finish = Finish::Replay { bias: bias.clone(), slopes: &recorded };
            let (y, _) = map.apply(-x.clone(), &weight, None, finish);
            let expected: Vec<f32> =
                (0..entries).map(|entry| (values[place(entry)] - plain[entry]) * slopes[entry]).collect();
            assert_certain(&format!("{what}, replayed"), &host(y).await, &expected, &sums, tolerance);
        }
    }
}

async fn finishes_in_f32(device: &Device) {
    check(device, DType::F32, FORWARD).await;
}

/// Sums are of f32 and only results are rounded; Burn's own operations, on the CPU, round sums too. SwiftShader, which
/// browsers are tested with, is the one device here that has no f16.
async fn finishes_in_f16(device: &Device) {
    if device.supports_dtype(FloatDType::F16) {
        check(device, DType::F16, 4e-3).await;
    } else if HAVE_F16 {
        panic!("lavapipe and the CPU compute in f16");
    }
}

/// Zeros count as negative, and what is not a number as positive.
async fn slopes_of_other_values(device: &Device) {
    let mut random = RandomState::new(3);
    for [pixels, channels] in [[1, 1], [1, 31], [2, 16], [33, 1], [5, 20], [64, 64]] {
        let entries = pixels * channels;
        let (mut x, y) = (draw(&mut random, entries), draw(&mut random, entries));
        x[entries / 2] = 0.0;
        x[entries - 1] = if entries == 1 { -0.0 } else { f32::NAN };
        let slope = |x: f32| if x <= 0.0 { SLOPE } else { 1.0 };
        let expected: Vec<f32> = x.iter().zip(&y).map(|(x, y)| slope(*x) * y).collect();
        let shape = [1, 1, pixels, channels];
        let bias = tensor(&vec![0.0; channels], [1, 1, 1, channels], device);
        let (_, slopes) = kernels::finished(tensor(&x, shape, device), Finish::Record { bias });
        let slopes = slopes.expect("slopes were to be recorded");
        let (found, _) = kernels::finished(tensor(&y, shape, device), Finish::Slopes(&slopes));
        assert_close(&format!("{entries} slopes"), &host(found).await, &expected, 0.0);
    }
}

on_devices! { finishes_in_f32, finishes_in_f16, slopes_of_other_values }
