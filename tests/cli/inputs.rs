//! Small data sets, whole and broken.

use std::io::{Cursor, Write};

use image::{ExtendedColorType, ImageFormat};

use crate::pickles::cifar_batch;
use crate::scene::Scene;

/// A PNG of `width` x `height` pixels, different for every `shade`.
fn encoded(width: u32, height: u32, colour: ExtendedColorType, shade: u8) -> Vec<u8> {
    let length = (width * height) as usize * usize::from(colour.bits_per_pixel()) / 8;
    let pixels: Vec<u8> = (0..length).map(|i| (i % 97) as u8 ^ shade).collect();
    let mut bytes = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, &pixels, width, height, colour, ImageFormat::Png)
        .expect("a PNG can be made");
    bytes.into_inner()
}

pub fn png(side: u32) -> Vec<u8> {
    encoded(side, side, ExtendedColorType::Rgb8, 0)
}

/// Pictures of another shade are other pictures.
pub fn shaded_png(side: u32, shade: u8) -> Vec<u8> {
    encoded(side, side, ExtendedColorType::Rgb8, shade)
}

pub fn oblong_png(width: u32, height: u32) -> Vec<u8> {
    encoded(width, height, ExtendedColorType::Rgb8, 0)
}

pub fn grey_png(side: u32) -> Vec<u8> {
    encoded(side, side, ExtendedColorType::L8, 0)
}

pub fn deep_png(side: u32) -> Vec<u8> {
    encoded(side, side, ExtendedColorType::Rgb16, 0)
}

/// The alpha of a pixel is the position in the file, so most are transparent.
pub fn transparent_png(side: u32) -> Vec<u8> {
    encoded(side, side, ExtendedColorType::Rgba8, 0)
}

/// A PNG whose header claims other sides than it has.
pub fn png_claiming(side: u32) -> Vec<u8> {
    let mut bytes = png(8);
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    let mut check = flate2::Crc::new();
    check.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&check.sum().to_be_bytes());
    bytes
}

/// Sixteen colour pictures of 8x8 in the folder `faces`.
pub fn faces(scene: &Scene) {
    for shade in 0..16 {
        let bytes = encoded(8, 8, ExtendedColorType::Rgb8, 15 * shade);
        scene.write(&format!("faces/{shade:02}.png"), bytes);
    }
}

/// Twelve pictures of three classes in `classes.zip`, with a `dataset.json`.
pub fn labelled_zip(scene: &Scene) {
    let name = |i: u8| format!("{}/{i:02}.png", i % 3);
    let labels: Vec<_> = (0..12).map(|i| serde_json::json!([name(i), i % 3])).collect();
    let json = serde_json::json!({ "labels": labels }).to_string();
    let mut files: Vec<_> =
        (0..12).map(|i| (name(i), encoded(8, 8, ExtendedColorType::Rgb8, 80 * (i % 3) + i))).collect();
    files.push(("dataset.json".into(), json.into_bytes()));
    scene.write("classes.zip", zip(&files));
}

/// An IDX file of bytes: magic number, sizes, data.
pub fn idx(sizes: &[u32], length: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.resize(bytes.len() + length, 7);
    bytes
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("memory takes it")
}

pub fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a new entry");
        writer.write_all(bytes).expect("memory takes it");
    }
    writer.finish().expect("a whole zip").into_inner()
}

/// A zip with one picture whose listed size is `size`.
pub fn lying_zip(size: u32) -> Vec<u8> {
    let mut bytes = zip(&[("a.png".into(), [png(8), vec![0; 1 << 16]].concat())]);
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    // The uncompressed size lies 24 bytes behind the mark.
    bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// The files of CIFAR-10's python version, with a picture for each label: names and bytes.
pub fn cifar_python(batches: [&[u8]; 5]) -> Vec<(String, Vec<u8>)> {
    let file = |(number, labels): (u8, &&[u8])| {
        let planes: Vec<u8> = (0..labels.len()).flat_map(|_| (0..3072).map(|at| at as u8 ^ number)).collect();
        (format!("data_batch_{number}"), cifar_batch(labels, &planes))
    };
    (1..).zip(&batches).map(file).collect()
}

/// Files in the folder that the archive of CIFAR-10 has, in an order that is not theirs.
pub fn tar_gz(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files.iter().rev() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let name = format!("cifar-10-batches-py/{name}");
        tar.append_data(&mut header, name, bytes.as_slice()).expect("memory takes it");
    }
    gz(&tar.into_inner().expect("a whole archive"))
}

/// CIFAR-10 records with these labels.
pub fn cifar(labels: &[u8]) -> Vec<u8> {
    labels.iter().flat_map(|&label| [vec![label], vec![100; 3072]].concat()).collect()
}
