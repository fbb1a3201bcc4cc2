//! TensorBoard's event files, as much of them as scalars need.
//!
//! A file is a row of records: length, checksum of it, an `Event` message in protocol buffers, checksum of that
//! (<https://www.tensorflow.org/tutorials/load_data/tfrecord>). Checksums are CRC-32C, rotated and shifted.

use super::event::now;

/// The version that the first record of a file has to name.
const VERSION: &str = "brain.Event:2";

/// The file of one start of a run.
pub struct EventFile {
    /// `events.out.tfevents.SECONDS.r3gan`: TensorBoard knows it by its beginning, and orders by the seconds.
    pub name: String,
    begun: bool,
}

impl EventFile {
    pub fn new() -> Self {
        Self { name: format!("events.out.tfevents.{:010}.r3gan", now() as u64), begun: false }
    }

    /// What has to be added to the file for these scalars at `step`.
    pub fn scalars<'a>(&mut self, step: u64, values: impl Iterator<Item = (&'a str, f64)>) -> Vec<u8> {
        let records = scalars(step, values);
        if std::mem::replace(&mut self.begun, true) {
            records
        } else {
            [header(), start(step), records].concat()
        }
    }
}

/// The record that a file begins with.
fn header() -> Vec<u8> {
    let mut event = wall_time();
    field(&mut event, 3, VERSION.as_bytes());
    record(&event)
}

/// Says that the run goes on at `step`: what an earlier start wrote from there on no longer counts.
fn start(step: u64) -> Vec<u8> {
    let mut event = wall_time();
    event.push(2 << 3);
    varint(&mut event, step);
    // Field 7: session_log, whose field 1 is its status: 1, START.
    field(&mut event, 7, &[1 << 3, 1]);
    record(&event)
}

/// A record of scalars at `step`.
fn scalars<'a>(step: u64, values: impl Iterator<Item = (&'a str, f64)>) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut entry = Vec::new();
        field(&mut entry, 1, tag.as_bytes());
        // Field 2, 4 bytes: simple_value.
        entry.push(2 << 3 | 5);
        entry.extend((value as f32).to_le_bytes());
        field(&mut summary, 1, &entry);
    }
    let mut event = wall_time();
    // Field 2, varint: step.
    event.push(2 << 3);
    varint(&mut event, step);
    field(&mut event, 5, &summary);
    record(&event)
}

/// Field 1, 8 bytes: seconds since 1970.
fn wall_time() -> Vec<u8> {
    let mut event = vec![1 << 3 | 1];
    event.extend(now().to_le_bytes());
    event
}

/// A field of bytes.
fn field(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    varint(message, bytes.len() as u64);
    message.extend(bytes);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &masked_checksum(&length), event, &masked_checksum(event)].concat()
}

fn masked_checksum(bytes: &[u8]) -> [u8; 4] {
    checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// CRC-32C, bit by bit: a tick has a few kilobytes.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4, and the usual check value.
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(checksum(&[0xff; 32]), 0x62a8_ab43);
        // TensorFlow's crc32c.h: ((crc >> 15) | (crc << 17)) + 0xa282ead8.
        assert_eq!(masked_checksum(b"123456789"), 0xc78a_b0e5u32.to_le_bytes());
    }

    #[test]
    fn a_record_holds_tag_and_value() {
        let bytes = scalars(300, [("Loss/G/loss", 0.5)].into_iter());
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        assert_eq!(bytes.len(), 8 + 4 + length + 4);
        let event = &bytes[12..12 + length];
        // wall_time, then step 300 as a varint, then the summary.
        assert_eq!((event[0], &event[9..12]), (0x09, &[0x10, 0xac, 0x02][..]));
        assert!(event.windows(11).any(|window| window == b"Loss/G/loss"));
        assert!(event.ends_with(&[0x15, 0, 0, 0, 0x3f]));
    }
}
