//! What a person may hand over by mistake, or somebody else on purpose: each is refused in one clear sentence.

use std::fs;
use std::path::Path;

use image::{ExtendedColorType, ImageFormat};

use super::*;

/// Opening must fail, in one line that names `file` and says `why`.
fn refused(path: &Path, options: &OpenOptions, file: &str, why: &str) {
    let said = open(path, options).map(|dataset| dataset.len()).unwrap_err().to_string();
    assert!(!said.contains('\n') && said.contains(file) && said.contains(why), "{file}, {why}: {said}");
}

#[test]
fn broken_idx_files_are_refused() {
    let good = idx(&[2, 2, 2], &[0; 8]);
    let name = "train-images-idx3-ubyte";
    let packed = "train-images-idx3-ubyte.gz";
    let huge = idx(&[4_000_000_000, 28, 28], &[0; 100]);
    let mut damaged = gz(&good);
    damaged.truncate(damaged.len() - 9);
    for (name, bytes, why) in [
        (name, good[..20].to_vec(), "has 20 bytes where its header promises 24"),
        (name, good[..3].to_vec(), "cut short"),
        (name, vec![], "cut short"),
        (name, [good.clone(), vec![0]].concat(), "has 25 bytes"),
        (name, idx(&[8], &[0; 8]), "not an IDX file of bytes with 3 dimensions"),
        (name, huge.clone(), "promises 3136000000016"),
        (name, idx(&[u32::MAX; 3], &[]), "which no data has"),
        (name, idx(&[0, 28, 28], &[]), "which no data has"),
        (name, idx(&[1, 2, 3], &[0; 6]), "3x2 pixels"),
        (name, idx(&[1, 5000, 5000], &vec![0; 25_000_000]), "5000 pixels wide"),
        (packed, damaged, "cannot be unpacked"),
        (packed, gz(&good)[..12].to_vec(), "cut short"),
        (packed, gz(&huge), "more than it can hold"),
        (packed, gz(&[good.clone(), vec![0; 10_000_000]].concat()), "unpacks to more bytes than the 24"),
        (packed, gz(&good[..20]), "unpacks to fewer bytes"),
    ] {
        let made = folder(&[(name, bytes)]);
        refused(made.path(), &PLAIN, name, why);
        refused(&made.path().join(name), &PLAIN, name, why);
    }
    let labels = "train-labels-idx1-ubyte";
    let made = folder(&[(name, good.clone()), (labels, idx(&[3], &[0; 3]))]);
    refused(made.path(), &LABELLED, labels, "3 labels for 2 pictures");
    refused(folder(&[(name, good.clone())]).path(), &LABELLED, name, "put train-labels-idx1-ubyte there");
    let two = folder(&[("a-images-idx3-ubyte", good.clone()), ("b-images-idx3-ubyte", good.clone())]);
    refused(two.path(), &PLAIN, "b-images-idx3-ubyte", "give the path of one");
    let inside = folder(&[("train-images-idx3-ubyte/x", vec![])]);
    refused(inside.path(), &PLAIN, name, "a folder where a file belongs");
}

/// A PNG whose header claims other sides.
fn claiming(side: u32) -> Vec<u8> {
    let mut bytes = png(4, 0);
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

#[test]
fn the_first_broken_picture_is_named() {
    let rgb = ExtendedColorType::Rgb8;
    for (bytes, why) in [
        (picture(ImageFormat::Png, 30, 31, rgb, 0), "30x31 pixels; pictures must be square"),
        (png(8, 0), "is 8x8 pixels where a.png is 4x4"),
        (picture(ImageFormat::Png, 4, 4, ExtendedColorType::L8, 0), "is grey where a.png is colour"),
        (picture(ImageFormat::Png, 4, 4, ExtendedColorType::Rgb16, 0), "Rgb16; convert it to 8 bits"),
        (picture(ImageFormat::Png, 4, 4, ExtendedColorType::Rgba8, 9), "transparent"),
        (b"hello, this is text".to_vec(), "not a picture"),
        (vec![], "not a picture"),
        (png(4, 0)[..20].to_vec(), "not a picture"),
        (claiming(100_000), "100000x100000 pixels; the sides must be 1 to 4096"),
        (claiming(u32::MAX), "not a picture"),
    ] {
        let files = [("a.png", png(4, 0)), ("m/x.png", bytes.clone()), ("z.png", b"also bad".to_vec())];
        refused(folder(&files).path(), &PLAIN, "x.png: ", why);
        let packed = folder(&[("set.zip", zip(&files))]);
        refused(&packed.path().join("set.zip"), &PLAIN, "x.png: ", why);
    }
    // Cut in its pixels: the header is whole, so the batch says it.
    for (name, format, why) in [
        ("a.png", ImageFormat::Png, "cannot be decoded"),
        ("a.jpg", ImageFormat::Jpeg, "a JPEG cut short"),
        ("a.bmp", ImageFormat::Bmp, "cannot be decoded"),
    ] {
        let whole = picture(format, 64, 64, rgb, 9);
        let made = folder(&[(name, whole[..whole.len() - 30].to_vec())]);
        let said = open(made.path(), &PLAIN).unwrap().batch(&[0]).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains(why), "{said}");
    }
}

#[test]
fn places_that_hold_no_data_are_refused() {
    let made = folder(&[("text/notes.txt", b"hi".to_vec()), ("one.png", png(4, 0)), ("notes.md", vec![])]);
    refused(&made.path().join("nowhere"), &PLAIN, "nowhere", "does not exist");
    refused(&made.path().join("text"), &PLAIN, "text", "holds no pictures");
    refused(&made.path().join("one.png"), &PLAIN, "one.png", "is not a data set; give a folder");
    refused(&made.path().join("notes.md"), &PLAIN, "notes.md", "is not a data set");
    refused(Path::new("/dev/null"), &PLAIN, "/dev/null", "not a regular file");
    refused(folder(&[]).path(), &PLAIN, "", "holds no pictures");
    refused(made.path(), &LABELLED, "", "add a dataset.json");
    assert!(open_bytes(vec![], &PLAIN).unwrap_err().to_string().contains("holds no pictures"));
    let json = folder(&[("a.png", png(4, 0)), ("dataset.json", b"{\"labels\": [[\"b.png\", 0]]}".to_vec())]);
    refused(json.path(), &LABELLED, "dataset.json", "no label for a.png");
    let json = folder(&[("a.png", png(4, 0)), ("dataset.json", b"{\"labels\": [[\"a.png\", -2]]}".to_vec())]);
    refused(json.path(), &LABELLED, "dataset.json", "label of a.png is -2");
    assert_eq!(open(json.path(), &PLAIN).unwrap().classes(), 0);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let made = folder(&[("a.png", png(4, 0))]);
    let path = made.path().join("a.png");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if fs::File::open(&path).is_err() {
        refused(made.path(), &PLAIN, "a.png", "cannot be read");
    }
}

#[test]
fn broken_zips_are_refused() {
    let good = zip(&[("a.png", png(4, 0))]);
    let mut cases = vec![
        (good[..good.len() / 2].to_vec(), "set.zip", "is not a zip"),
        (vec![], "set.zip", "is not a zip"),
        (zip(&[]), "set.zip", "holds no pictures"),
        (zip(&[("a.txt", vec![1])]), "set.zip", "holds no pictures"),
    ];
    // A megabyte of zeros listed with a size of 100 bytes, or of 4 GB. The directory keeps the size at 24.
    let bomb = zip(&[("a.png", [png(4, 0), vec![0; 1 << 20]].concat())]);
    let directory = bomb.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    for (size, why) in [
        (100_u32, "larger than its declared uncompressed size"),
        (u32::MAX - 1, "4294967294 bytes; the most"),
    ] {
        let mut lying = bomb.clone();
        lying[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
        cases.push((lying, "a.png", why));
    }
    let mut corrupt = good.clone();
    corrupt[45..60].fill(0xff);
    cases.push((corrupt, "a.png", "cannot be read"));
    for (bytes, file, why) in cases {
        let made = folder(&[("set.zip", bytes)]);
        let path = made.path().join("set.zip");
        match open(&path, &PLAIN) {
            // The header was whole; the lie shows when the picture is read.
            Ok(dataset) => {
                let said = dataset.batch(&[0]).unwrap_err().to_string();
                assert!(said.contains(file) && said.contains(why), "{said}");
            }
            Err(_) => refused(&path, &PLAIN, file, why),
        }
    }
}

#[test]
fn broken_cifar_files_are_refused() {
    let mut cut = cifar(&[1]);
    cut.pop();
    for (bytes, why) in [(cut, "3072 bytes"), (vec![], "0 bytes"), (cifar(&[1, 11]), "record 1 has label 11")]
    {
        let made = folder(&[("data_batch_1.bin", bytes)]);
        refused(made.path(), &PLAIN, "data_batch_1.bin", why);
        refused(&made.path().join("data_batch_1.bin"), &PLAIN, "data_batch_1.bin", why);
    }
}
