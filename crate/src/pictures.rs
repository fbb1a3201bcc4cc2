//! From samples to pictures: pixels, grids, point clouds and PNG bytes.

use std::io::Cursor;

use half::{bf16, f16};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Result};
use crate::network::Format;

mod scatter;
#[cfg(not(target_family = "wasm"))]
mod sheet;

pub use scatter::scatter;
#[cfg(not(target_family = "wasm"))]
pub use sheet::contact_sheet;

/// An RGB picture, 8 bits a channel, row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// `[height, width, 3]`
    pub rgb: Vec<u8>,
}

/// Values in [-1, 1] as the official gen_images makes pixels: 127.5 x + 128, clamped, fraction cut off.
pub fn to_pixels(values: &[f32]) -> Vec<u8> {
    values.iter().map(|x| (x * 127.5 + 128.0).clamp(0.0, 255.0) as u8).collect()
}

/// As [`to_pixels`], computed in the format that the pictures came in, as the official tool does: in bf16 numbers
/// above 128 are whole.
pub fn to_pixels_in(format: Format, values: &[f32]) -> Vec<u8> {
    let rounded: fn(f32) -> f32 = match format {
        Format::F32 => return to_pixels(values),
        Format::Bf16 => |x| bf16::from_f32(x).to_f32(),
        Format::F16 => |x| f16::from_f32(x).to_f32(),
    };
    values.iter().map(|x| rounded(rounded(x * 127.5) + 128.0).clamp(0.0, 255.0) as u8).collect()
}

/// As [`to_pixels`], for pictures `[n, height, width, 3]`, with an opaque fourth channel: what a canvas takes.
pub fn to_rgba(values: &[f32]) -> Vec<u8> {
    opaque(&to_pixels(values))
}

/// RGB pixels with an opaque fourth channel.
pub fn opaque(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, u8::MAX]).collect()
}

/// Values in [-1, 1] as the official training grids: 127.5 (x + 1), rounded to the nearest even, clamped.
pub fn to_pixels_rounded(values: &[f32]) -> Vec<u8> {
    values.iter().map(|x| ((x + 1.0) * 127.5).round_ties_even().clamp(0.0, 255.0) as u8).collect()
}

/// Square pictures `[n, side, side, 3]` side by side in rows of `columns`; what stays empty is black.
pub fn grid(pixels: &[u8], side: usize, columns: usize) -> Picture {
    let (side, columns) = (side.max(1), columns.max(1));
    let item = side * side * 3;
    let rows = (pixels.len() / item).div_ceil(columns);
    let (width, height) = (columns * side, rows * side);
    let mut rgb = vec![0; width * height * 3];
    for (i, picture) in pixels.chunks_exact(item).enumerate() {
        let (top, left) = (i / columns * side, i % columns * side);
        for (y, line) in picture.chunks_exact(side * 3).enumerate() {
            let start = ((top + y) * width + left) * 3;
            rgb[start..start + side * 3].copy_from_slice(line);
        }
    }
    Picture { width, height, rgb }
}

/// The picture as a PNG file.
///
/// # Errors
/// [`Error::Setting`] if the sizes do not fit the pixels or the format.
pub fn encode_png(picture: &Picture) -> Result<Vec<u8>> {
    let Picture { width, height, ref rgb } = *picture;
    let refuse = |e: String| Error::setting("picture", format!("{width}x{height} cannot be a PNG ({e})"));
    let size = |n: usize| u32::try_from(n).map_err(|e| refuse(e.to_string()));
    let (across, down) = (size(width)?, size(height)?);
    if width.checked_mul(height).and_then(|n| n.checked_mul(3)) != Some(rgb.len()) || rgb.is_empty() {
        return Err(refuse(format!("it has {} bytes of pixels", rgb.len())));
    }
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new(&mut bytes)
        .write_image(rgb, across, down, ExtendedColorType::Rgb8)
        .map_err(|e| refuse(e.to_string()))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    // From torch: (x * 127.5 + 128).clamp(0, 255).to(uint8), and numpy: rint((x + 1) * 127.5).clip(0, 255).
    #[test]
    fn pixels_are_cut_or_rounded_as_published() {
        let x = [-1.0, -0.999, 0.0, 0.5, 0.999, 1.0, 7.0, -7.0];
        assert_eq!(to_pixels(&x), [0, 0, 128, 191, 255, 255, 255, 0]);
        assert_eq!(to_pixels_rounded(&x), [0, 0, 128, 191, 255, 255, 255, 0]);
        assert_eq!(to_rgba(&x[2..]), [128, 191, 255, 255, 255, 255, 0, 255]);
        assert_eq!(to_pixels_rounded(&[-0.003]), [127]);
        assert_eq!(to_pixels(&[-0.003]), [127]);
        assert_eq!((to_pixels(&[0.002]), to_pixels_rounded(&[0.002])), (vec![128], vec![128]));
        assert_eq!((to_pixels(&[0.9961]), to_pixels_rounded(&[0.9961])), (vec![255], vec![255]));
        assert_eq!((to_pixels(&[-0.9]), to_pixels_rounded(&[-0.9])), (vec![13], vec![13]));
    }

    // By hand: torch rounds the product and the sum to bf16. 63.75 + 128 lies between 191 and 192, 1.5 + 128 in the
    // middle of 129 and 130; between 8 and 16 sixteenths are left.
    #[test]
    fn pixels_of_bf16_are_computed_in_it() {
        let x = [-1.0, -0.898_437_5, 0.0, 0.011_764_706, 0.5, 1.0, 7.0];
        assert_eq!(to_pixels_in(Format::Bf16, &x), [0, 13, 128, 130, 192, 255, 255]);
        assert_eq!(to_pixels_in(Format::F32, &x), to_pixels(&x));
        assert_eq!(to_pixels(&x), [0, 13, 128, 129, 191, 255, 255]);
    }

    #[test]
    fn a_grid_fills_rows_and_survives_png() {
        let picture = grid(&[[1; 3], [2; 3], [3; 3]].concat(), 1, 2);
        assert_eq!((picture.width, picture.height), (2, 2));
        assert_eq!(picture.rgb, [1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0]);
        let read = image::load_from_memory(&encode_png(&picture).unwrap()).unwrap().into_rgb8();
        assert_eq!(read.into_raw(), picture.rgb);
        for (width, height, bytes) in [(2, 2, 11), (0, 0, 0), (1 << 33, 1, 3)] {
            assert!(encode_png(&Picture { width, height, rgb: vec![0; bytes] }).is_err());
        }
    }
}
