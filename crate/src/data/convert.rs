//! Makes the zip that the official code reads (training notes, section 7) from any data set: uncompressed PNGs of one
//! square size, numbered, and a `dataset.json`.

use std::io::{BufWriter, Cursor, Write};
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType as RowFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageEncoder, Rgb, RgbImage};
use rayon::prelude::*;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::collection::Collection;
use super::labels::Labels;
use super::picture::MAX_SIDE;
use crate::checkpoint::{output_reason, write_atomic_with};
use crate::error::{Error, Result};

/// Pictures of a thread that are in memory at a time.
const PART: usize = 4;

/// How a picture that is not square becomes so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Fit {
    /// The largest square in its middle.
    Crop,
    /// The whole of it on a square ground; a picture that is smaller than the size asked for keeps its own.
    Pad,
    /// Both sides scaled on their own.
    Stretch,
}

/// What the pixels become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Colours {
    Grey,
    Colour,
}

/// Where the labels come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum LabelsFrom {
    /// What lies beside the pictures: a `dataset.json`, an IDX file, CIFAR-10's own.
    #[default]
    Source,
    /// The outermost folder of every picture.
    Folders,
    /// No labels.
    None,
}

/// How to convert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// Pixels a side; none: as the first picture has them.
    pub size: Option<u32>,
    /// None: a picture that is not square is an error.
    pub fit: Option<Fit>,
    /// None: as the first picture.
    pub colours: Option<Colours>,
    /// What shows through transparent pixels and around padded pictures; none: the former are an error, the latter
    /// lie on black.
    pub background: Option<[u8; 3]>,
    pub labels: LabelsFrom,
    /// The first so many pictures; none: all.
    pub most: Option<usize>,
    /// Leaves out what cannot be used, instead of ending there.
    pub skip_bad: bool,
}

/// What was written.
#[derive(Debug)]
pub struct Converted {
    pub count: usize,
    pub side: u32,
    pub colours: Colours,
    /// Length of a label; 0 without labels.
    pub classes: usize,
    /// Names of the classes, where they are folders.
    pub class_names: Vec<String>,
    /// What was left out.
    pub skipped: Vec<Error>,
}

/// Writes `out`, a zip, from the data set at `path`; `progress` is told how many pictures are done.
///
/// # Errors
/// [`Error::Input`] naming the picture that cannot be used, [`Error::Output`]; nothing is then written.
pub fn convert(
    path: &Path,
    out: &Path,
    conversion: &Conversion,
    mut progress: impl FnMut(usize, usize),
) -> Result<Converted> {
    if conversion.size.is_some_and(|size| !(1..=MAX_SIDE).contains(&size)) {
        return Err(Error::setting("size", format!("is not between 1 and {MAX_SIDE}")));
    }
    let collection = Collection::open(path)?;
    let (labels, class_names) = match conversion.labels {
        LabelsFrom::Source => (collection.labels()?, Vec::new()),
        LabelsFrom::Folders => collection.folders()?,
        LabelsFrom::None => (Labels::None, Vec::new()),
    };
    let count = conversion.most.map_or(collection.count(), |most| most.min(collection.count()));
    let mut alike: Option<(u32, Colours)> = None;
    let mut converted: Vec<usize> = Vec::new();
    let mut skipped = Vec::new();
    let failed = |error: std::io::Error| Error::output(out, output_reason(&error));
    let zip_failed = |error: zip::result::ZipError| failed(error.into());
    write_atomic_with(out, |file| {
        let mut zip = ZipWriter::new(BufWriter::new(file));
        let stored = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::DEFAULT);
        let part = PART * rayon::current_num_threads();
        for start in (0..count).step_by(part) {
            let end = (start + part).min(count);
            let encoded: Vec<_> = (start..end)
                .into_par_iter()
                .map(|index| {
                    let refused = |reason| Error::input(collection.path_of(index), reason);
                    let picture = shaped(collection.picture(index)?, conversion).map_err(refused)?;
                    let bytes = encode(&picture).map_err(refused)?;
                    Ok(((picture.width(), colours_of(&picture)), bytes))
                })
                .collect();
            for (index, encoded) in (start..end).zip(encoded) {
                let fitting =
                    encoded.and_then(|(found, bytes)| match unlike(found, *alike.get_or_insert(found)) {
                        Some(reason) => Err(Error::input(collection.path_of(index), reason)),
                        None => Ok(bytes),
                    });
                match fitting {
                    Ok(bytes) => {
                        let name = name_of(converted.len());
                        zip.start_file(name, stored).map_err(zip_failed)?;
                        zip.write_all(&bytes).map_err(failed)?;
                        converted.push(index);
                    }
                    Err(error) if conversion.skip_bad => skipped.push(error),
                    Err(error) => return Err(error),
                }
            }
            progress(end, count);
        }
        if converted.is_empty() {
            return Err(Error::input(path, "holds no picture that can be used"));
        }
        zip.start_file("dataset.json", stored).map_err(zip_failed)?;
        zip.write_all(json_of(&labels, &class_names, &converted).to_string().as_bytes()).map_err(failed)?;
        zip.finish().map_err(zip_failed)?.flush().map_err(failed)
    })?;
    let (side, colours) = alike.expect("there is a picture");
    let classes = match &labels {
        // As training counts them: up to the highest that is there.
        Labels::Classes { of, .. } => {
            converted.iter().map(|&index| of[index] as usize + 1).max().unwrap_or(0)
        }
        labels => labels.width(),
    };
    let class_names = class_names.into_iter().take(classes).collect();
    Ok(Converted { count: converted.len(), side, colours, classes, class_names, skipped })
}

/// As the official tool numbers: `00012/img00012345.png`.
fn name_of(number: usize) -> String {
    let digits = format!("{number:08}");
    format!("{}/img{digits}.png", &digits[..5])
}

fn json_of(labels: &Labels, class_names: &[String], converted: &[usize]) -> Value {
    let named = |label: &dyn Fn(usize) -> Value| -> Value {
        converted.iter().enumerate().map(|(number, &index)| json!([name_of(number), label(index)])).collect()
    };
    let labels = match labels {
        Labels::None => Value::Null,
        Labels::Classes { of, .. } => named(&|index| of[index].into()),
        Labels::Vectors { width, values } => named(&|index| values[index * width..][..*width].into()),
    };
    match class_names {
        [] => json!({ "labels": labels }),
        names => json!({ "labels": labels, "classes": names }),
    }
}

fn colours_of(picture: &DynamicImage) -> Colours {
    if picture.color().has_color() { Colours::Colour } else { Colours::Grey }
}

/// Why a picture cannot lie beside the first.
fn unlike((side, colours): (u32, Colours), (first_side, first_colours): (u32, Colours)) -> Option<String> {
    if side != first_side {
        return Some(format!(
            "is {side}x{side} where the first is {first_side}x{first_side}; --size makes them one"
        ));
    }
    let name = |colours| if colours == Colours::Grey { "grey" } else { "colour" };
    (colours != first_colours).then(|| {
        format!("is {} where the first is {}; --colours makes them alike", name(colours), name(first_colours))
    })
}

/// Opaque, 8 bits a channel, square, of the size asked for.
fn shaped(picture: DynamicImage, conversion: &Conversion) -> std::result::Result<DynamicImage, String> {
    let has_color = picture.color().has_color();
    let rgb = opaque(picture, conversion.background)?;
    let (width, height) = rgb.dimensions();
    let square = match conversion.fit {
        _ if width == height => rgb,
        None => {
            return Err(format!("is {width}x{height} pixels; --fit crop, pad or stretch makes it square"));
        }
        Some(Fit::Crop) => {
            let side = width.min(height);
            imageops::crop_imm(&rgb, (width - side) / 2, (height - side) / 2, side, side).to_image()
        }
        Some(Fit::Pad) => padded(&rgb, width.max(height), conversion.background),
        Some(Fit::Stretch) => {
            let side = conversion.size.unwrap_or(width.min(height));
            resized(&rgb, side)
        }
    };
    let sized = match conversion.size {
        None => square,
        Some(size) if square.width() == size => square,
        Some(size) if conversion.fit == Some(Fit::Pad) && square.width() < size => {
            padded(&square, size, conversion.background)
        }
        Some(size) => resized(&square, size),
    };
    let grey = match conversion.colours {
        Some(colours) => colours == Colours::Grey,
        None => !has_color,
    };
    let picture = DynamicImage::ImageRgb8(sized);
    Ok(if grey { DynamicImage::ImageLuma8(picture.into_luma8()) } else { picture })
}

fn opaque(picture: DynamicImage, background: Option<[u8; 3]>) -> std::result::Result<RgbImage, String> {
    if !picture.color().has_alpha() {
        return Ok(picture.into_rgb8());
    }
    let rgba = picture.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, alpha] = from.0;
        to.0 = match (alpha, background) {
            (u8::MAX, _) => [r, g, b],
            (_, None) => return Err("has transparent pixels; --background white puts it on one".into()),
            (_, Some(ground)) => {
                let over = |above: u8, below: u8| {
                    let (above, below, alpha) = (u32::from(above), u32::from(below), u32::from(alpha));
                    ((above * alpha + below * (255 - alpha) + 127) / 255) as u8
                };
                [over(r, ground[0]), over(g, ground[1]), over(b, ground[2])]
            }
        };
    }
    Ok(rgb)
}

/// In the middle of a square; where the frame is uneven, a pixel more lies right and below.
fn padded(picture: &RgbImage, side: u32, background: Option<[u8; 3]>) -> RgbImage {
    let mut square = RgbImage::from_pixel(side, side, Rgb(background.unwrap_or_default()));
    let (left, top) = ((side - picture.width()) / 2, (side - picture.height()) / 2);
    imageops::replace(&mut square, picture, i64::from(left), i64::from(top));
    square
}

fn resized(picture: &RgbImage, side: u32) -> RgbImage {
    imageops::resize(picture, side, side, FilterType::Lanczos3)
}

/// Not compressed: reading is what happens a thousand times.
fn encode(picture: &DynamicImage) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Uncompressed, RowFilter::NoFilter)
        .write_image(picture.as_bytes(), picture.width(), picture.height(), picture.color().into())
        .map_err(|error| format!("cannot be a PNG ({error})"))?;
    Ok(bytes.into_inner())
}
