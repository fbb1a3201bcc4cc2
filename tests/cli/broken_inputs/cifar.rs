//! CIFAR-10's python version, broken: as an archive and unpacked.

use super::{INPUT, check, row};
use crate::inputs::{cifar_python, gz, tar_gz};
use crate::pickles::{Tree, dict, encode, text};
use crate::scene::Scene;

const ARCHIVE: &str = "cifar-10-python.tar.gz";
const CHECK: &str = "dataset check cifar-10-python.tar.gz";
const TRAIN: &str = "train --data cifar-10-python.tar.gz --out run TINY --device cpu";
const TRAIN_FOLDER: &str = "train --data cifar --out run TINY --device cpu";
const BATCH: &str = "cifar-10-python.tar.gz/cifar-10-batches-py/data_batch_3: ";

fn whole() -> Vec<(String, Vec<u8>)> {
    cifar_python([&[0], &[1], &[2, 3], &[4], &[5]])
}

/// An archive with another third batch.
fn with_third(bytes: Vec<u8>) -> Vec<u8> {
    let mut files = whole();
    files[2].1 = bytes;
    tar_gz(&files)
}

fn harm() -> Vec<u8> {
    let call = Tree::Reduce(Box::new(Tree::Global("os", "system")), vec![text("touch harm")]);
    encode(&dict(vec![("data", call)]), 2)
}

#[test]
fn archives() {
    check(&[
        row(
            "cut short",
            |s| s.write(ARCHIVE, &tar_gz(&whole())[..300]),
            TRAIN,
            INPUT,
            "cifar-10-python.tar.gz: cannot be unpacked",
        ),
        row(
            "without its checksum",
            |s| {
                let packed = tar_gz(&whole());
                s.write(ARCHIVE, &packed[..packed.len() - 8]);
            },
            CHECK,
            INPUT,
            "cifar-10-python.tar.gz: cannot be unpacked",
        ),
        row("not packed", |s| s.write(ARCHIVE, [7; 2000]), TRAIN, INPUT, "fetch it again"),
        row("no archive in it", |s| s.write(ARCHIVE, gz(&[7; 2000])), TRAIN, INPUT, "fetch it again"),
        row(
            "without batch 3",
            |s| {
                let mut files = whole();
                files.remove(2);
                s.write(ARCHIVE, tar_gz(&files));
            },
            TRAIN,
            INPUT,
            "cifar-10-python.tar.gz: holds no data_batch_3",
        ),
        row("empty", |s| s.write(ARCHIVE, tar_gz(&[])), TRAIN, INPUT, "holds no data_batch_1"),
        row(
            "a batch cut short",
            |s| s.write(ARCHIVE, with_third(whole()[2].1[..900].to_vec())),
            TRAIN,
            INPUT,
            BATCH,
        ),
        row("a harmful batch", |s| s.write(ARCHIVE, with_third(harm())), TRAIN, INPUT, "os.system"),
        row(
            "a label of 10",
            |s| s.write(ARCHIVE, with_third(cifar_python([&[], &[], &[1, 10], &[], &[]])[2].1.clone())),
            CHECK,
            INPUT,
            "data_batch_3: gives picture 1 the label 10",
        ),
    ]);
}

fn unpacked(s: &Scene, change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) {
    let mut files = whole();
    change(&mut files);
    files.iter().for_each(|(name, bytes)| s.write(&format!("cifar/{name}"), bytes));
}

#[test]
fn batches() {
    check(&[
        row(
            "without batch 3",
            |s| unpacked(s, |files| drop(files.remove(2))),
            TRAIN_FOLDER,
            INPUT,
            "cifar/data_batch_3: is missing beside the other batches",
        ),
        row(
            "fewer labels than pictures",
            |s| {
                unpacked(s, |files| {
                    let bytes = &mut files[2].1;
                    let at = bytes.windows(5).position(|part| part == b"K\x02K\x03e").expect("labels");
                    bytes.drain(at..at + 2);
                });
            },
            TRAIN_FOLDER,
            INPUT,
            "cifar/data_batch_3: has 1 labels for 2 pictures",
        ),
        row(
            "a harmful batch by itself",
            |s| s.write("data_batch_1", harm()),
            "dataset show data_batch_1 --out sheet.png",
            INPUT,
            "data_batch_1: is no CIFAR-10 batch: it asks for Python's os.system",
        ),
        row(
            "another pickle",
            |s| s.write("weights.pkl", encode(&dict(vec![("G", Tree::None)]), 4)),
            "dataset check weights.pkl",
            INPUT,
            "weights.pkl: is no CIFAR-10 batch: it has no labels",
        ),
    ]);
}
