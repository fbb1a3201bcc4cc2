//! One picture file in memory: what its header says, and its pixels. The reasons returned complete the
//! sentence that begins with the file's name.

use std::io::Cursor;

use image::{ColorType, ImageDecoder, ImageError, ImageReader, Limits};

/// The longest side that a picture may have, in pixels.
pub const MAX_SIDE: u32 = 4096;
/// What a decoder may take besides the pixels, in bytes.
const MAX_DECODER_BYTES: u64 = 256 << 20;
const EXTENSIONS: [&str; 12] =
    ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "pnm", "pbm", "pgm", "ppm"];

/// What matters in a picture's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub width: u32,
    pub height: u32,
    /// 1 or 3, without alpha.
    pub channels: usize,
    /// The pixels have to be decoded to know whether all are opaque.
    pub alpha: bool,
}

/// Whether a name ends like one of a picture.
pub fn is_picture_name(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, end)| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(end)))
}

/// Reads no further than the header needs, so the bytes may be only the start of a file.
pub fn header(bytes: &[u8]) -> Result<Header, String> {
    Ok(decoder(bytes)?.1)
}

/// The pixels of a picture, row by row, without alpha.
///
/// # Shapes
/// `[height, width, channels]`
pub fn decode(bytes: &[u8]) -> Result<(Header, Vec<u8>), String> {
    let (decoder, header) = decoder(bytes)?;
    if bytes.starts_with(&[0xff, 0xd8]) && !jpeg_ends(bytes) {
        return Err("is a JPEG cut short; replace it or take it out".into());
    }
    // The header's sides and its 8-bit channels bound this at 64 MiB.
    let mut pixels = vec![0; decoder.total_bytes() as usize];
    decoder
        .read_image(&mut pixels)
        .map_err(|error| format!("cannot be decoded ({}); replace it or take it out", one_line(&error)))?;
    if header.alpha {
        pixels = match header.channels {
            1 => opaque::<2, 1>(&pixels),
            _ => opaque::<4, 3>(&pixels),
        }
        .ok_or("has transparent pixels; put it on a background first")?;
    }
    Ok((header, pixels))
}

/// A picture of any size and colour type, as a data set is made of.
#[cfg(not(target_family = "wasm"))]
pub fn load(bytes: &[u8]) -> Result<image::DynamicImage, String> {
    let (decoder, _) = any_decoder(bytes)?;
    if bytes.starts_with(&[0xff, 0xd8]) && !jpeg_ends(bytes) {
        return Err("is a JPEG cut short; replace it or take it out".into());
    }
    image::DynamicImage::from_decoder(decoder)
        .map_err(|error| format!("cannot be decoded ({}); replace it or take it out", one_line(&error)))
}

/// The decoder fills what is missing with grey and says nothing, so look for the end mark (EOI) behind the last
/// scan (SOS). Neither can occur inside a scan.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let last = |mark: [u8; 2]| bytes.windows(2).rposition(|pair| pair == mark);
    last([0xff, 0xd9]) > last([0xff, 0xda])
}

fn opaque<const WITH: usize, const WITHOUT: usize>(pixels: &[u8]) -> Option<Vec<u8>> {
    let pixels = pixels.as_chunks::<WITH>().0;
    pixels
        .iter()
        .all(|pixel| pixel[WITHOUT] == u8::MAX)
        .then(|| pixels.iter().flat_map(|pixel| &pixel[..WITHOUT]).copied().collect())
}

fn decoder(bytes: &[u8]) -> Result<(impl ImageDecoder, Header), String> {
    let (decoder, (width, height)) = any_decoder(bytes)?;
    let (channels, alpha) = match decoder.color_type() {
        ColorType::L8 => (1, false),
        ColorType::La8 => (1, true),
        ColorType::Rgb8 => (3, false),
        ColorType::Rgba8 => (3, true),
        other => return Err(format!("has pixels of type {other:?}; convert it to 8 bits a channel")),
    };
    Ok((decoder, Header { width, height, channels, alpha }))
}

/// A decoder for pictures of any colour, and their width and height, which are small enough.
fn any_decoder(bytes: &[u8]) -> Result<(impl ImageDecoder, (u32, u32)), String> {
    let broken = |error| {
        format!("is not a picture that can be read ({}); replace it or take it out", one_line(&error))
    };
    let format = image::guess_format(bytes).map_err(broken)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(format!("is {width}x{height} pixels; the sides must be 1 to {MAX_SIDE}"));
    }
    Ok((decoder, (width, height)))
}

/// Some decoders write paragraphs.
fn one_line(error: &ImageError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
