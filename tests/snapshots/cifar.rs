//! Batches of CIFAR-10's python version: whole, broken, and made to harm.

use crate::batch::Batch;
use crate::exercise;
use crate::pickles::{Tree, cifar_batch, dict, encode, snapshot, text};
use crate::reader::Snapshot;

const PICTURE: usize = 3072;

fn whole() -> Vec<u8> {
    let planes: Vec<u8> = (0..2 * PICTURE).map(|place| place as u8).collect();
    cifar_batch(&[3, 9], &planes)
}

/// The batch with a part of it replaced.
fn edited(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = whole();
    let at = bytes.windows(from.len()).position(|part| part == from).expect("it is there");
    bytes.splice(at..at + from.len(), to.iter().copied());
    bytes
}

#[test]
fn a_batch_is_its_labels_and_planes() {
    let bytes = whole();
    let batch = Batch::read(&bytes).unwrap();
    assert_eq!(batch.labels, [3, 9]);
    assert_eq!((batch.planes.len(), batch.planes[PICTURE + 1]), (2 * PICTURE, 1));
    // Numpy 2 has moved its parts.
    let moved = edited(b"numpy.core.multiarray", b"numpy._core.multiarray");
    assert!(Batch::read(&moved).is_ok());
}

#[test]
fn what_is_no_batch_is_refused_in_words() {
    let planes = [7; 2 * PICTURE];
    for (bytes, says) in [
        (cifar_batch(&[3, 10], &planes), "gives picture 1 the label 10"),
        (cifar_batch(&[], &[]), "holds no pictures"),
        (edited(b"K\x03K\x09e", b"K\x03e"), "has 1 labels for 2 pictures"),
        (edited(b"K\x03K\x09e", b"K\x03Ne"), "no whole, positive number"),
        (edited(b"U\x06labels", b"U\x0bfine_labels"), "has no labels"),
        (edited(b"U\x04data", b"U\x04dada"), "has no data"),
        (edited(b"M\x02\0M", b"M\x03\0M"), "not as long as it says"),
        (edited(b"M\x00\x0c", b"M\x01\x0c"), "no 3x32x32 bytes"),
        (edited(b"U\x02u1", b"U\x02f8"), "no numpy array of bytes"),
        (edited(b"tb\x89T", b"tb\x88T"), "no numpy array of bytes"),
        ([whole(), b".".to_vec()].concat(), "1 bytes follow"),
        (b"label".to_vec(), "does not begin as a pickle"),
        (encode(&Tree::Int(3), 2), "has no labels"),
    ] {
        let said = Batch::read(&bytes).expect_err(says).to_string();
        assert!(said.contains(says), "{said:?} does not say {says:?}");
    }
}

/// Nothing but numpy's array is imported, and numpy's array by nothing but a batch.
#[test]
fn each_reader_has_names_of_its_own() {
    for (module, name) in [("os", "system"), ("collections", "OrderedDict"), ("torch", "float32")] {
        let call = Tree::Reduce(Box::new(Tree::Global(module, name)), vec![text("touch harm")]);
        let said = Batch::read(&encode(&dict(vec![("data", call)]), 2)).unwrap_err().to_string();
        assert!(said.contains("is no CIFAR-10 batch: it asks for Python's "), "{said}");
        assert!(said.contains(&format!("{module}.{name}")) && said.contains("nothing was run"), "{said}");
    }
    let said = Batch::read(&encode(&snapshot(), 4)).unwrap_err().to_string();
    assert!(said.contains("training.networks.Generator"), "{said}");
    for (module, name) in [("numpy.core.multiarray", "_reconstruct"), ("numpy", "dtype")] {
        let bytes = encode(&dict(vec![("G_ema", Tree::Global(module, name))]), 2);
        let said = Snapshot::read(&bytes).unwrap_err().to_string();
        assert!(said.contains("is no R3GAN snapshot") && said.contains(name), "{said}");
    }
    // Nor are Python 2's strings in a snapshot.
    assert!(Snapshot::read(&whole()).unwrap_err().to_string().contains("which is no instruction"));
}

#[test]
fn damage_at_every_byte() {
    let bytes = cifar_batch(&[7], &[0; PICTURE]);
    assert!(exercise::batch(&bytes).is_some());
    for length in 0..bytes.len() {
        assert!(exercise::batch(&bytes[..length]).is_none(), "cut at {length}");
    }
    for place in 0..bytes.len() {
        for change in [1u8, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut damaged = bytes.clone();
            damaged[place] ^= change;
            exercise::batch(&damaged);
        }
    }
}
