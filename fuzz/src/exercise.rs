//! Everything that the library asks of a pickle, and what must hold whatever the bytes are.

use super::batch::Batch;
use super::reader::{Side, Snapshot};

/// Reads all there is of a snapshot; `None` where the bytes are no pickle of a training run.
pub fn snapshot(bytes: &[u8]) -> Option<()> {
    let snapshot = Snapshot::read(bytes).ok()?;
    assert!(snapshot.values() <= bytes.len(), "a value takes a byte at least");
    let within = |shape: &[usize], data: &[u8]| {
        let count: usize = shape.iter().product();
        assert_eq!(data.len(), 4 * count);
        let (file, part) = (bytes.as_ptr_range(), data.as_ptr_range());
        assert!(file.start <= part.start && part.end <= file.end, "tensors lie in the file");
        data.len()
    };
    let _ = snapshot.images();
    for (key, side) in [("G", Side::Generator), ("D", Side::Discriminator), ("G_ema", Side::Generator)] {
        if let Ok(Some(module)) = snapshot.module(key, side) {
            let tensors = module.parameters.iter().chain(&module.buffers);
            let total: usize = tensors.map(|(_, tensor)| within(&tensor.shape, tensor.bytes)).sum();
            assert!(total <= bytes.len(), "a network is no larger than its file");
        }
    }
    for key in ["G_opt_state", "D_opt_state"] {
        if let Ok(Some(optimizer)) = snapshot.optimizer(key) {
            let moments = optimizer.second_moments.iter();
            let total: usize = moments.map(|tensor| within(&tensor.shape, tensor.bytes)).sum();
            assert!(total <= bytes.len(), "an optimizer is no larger than its file");
        }
    }
    Some(())
}

/// Reads a batch of CIFAR-10; `None` where the bytes are none.
pub fn batch(bytes: &[u8]) -> Option<()> {
    let batch = Batch::read(bytes).ok()?;
    assert!(batch.labels.iter().all(|label| *label < 10));
    assert_eq!(batch.planes.len(), 3 * 32 * 32 * batch.labels.len());
    let (file, part) = (bytes.as_ptr_range(), batch.planes.as_ptr_range());
    assert!(file.start <= part.start && part.end <= file.end, "the planes lie in the file");
    Some(())
}
