//! The bytes of one storage, as `torch.save` wrote them before it had zip files: five pickles, a count, the values.

use super::globals::{Arena, Global, Value};
use crate::pickle::{Cursor, Id, Result, Rules, problem, run};

/// 0x1950a86a20f9469cfc6c, the number that such files begin with; lowest byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The longest of the five pickles in front of a storage takes a quarter of the steps.
const RULES: Rules = Rules { steps: 128, persistent: true, byte_strings: false };
const PROTOCOL: u64 = 1001;
const BYTES: u64 = 4;

/// The little-endian f32 of a storage.
pub fn storage(blob: &[u8]) -> Result<&[u8]> {
    let mut cursor = Cursor::new(blob);
    let mut next = || run(&mut cursor, RULES);

    let (arena, magic) = next()?;
    if !matches!(arena.get(magic), Value::Long(bytes) if **bytes == MAGIC) {
        return problem("has weights that do not begin as torch writes them");
    }
    let (arena, protocol) = next()?;
    if arena.count(protocol) != Some(PROTOCOL) {
        return problem(format!("has weights that are not in torch's format {PROTOCOL}"));
    }
    let (arena, system) = next()?;
    let little = arena.entries(system).and_then(|entries| arena.entry(entries, "little_endian"));
    if !little.is_some_and(|little| matches!(arena.get(little), Value::Bool(true))) {
        return problem("has weights that were not written by a little-endian machine");
    }
    let (arena, named) = next()?;
    let Some((key, count)) = described(&arena, named) else {
        return problem("has weights in another storage than one of f32");
    };
    let (arena, keys) = next()?;
    let is_listed = matches!(arena.list(keys), Some([only]) if arena.text(*only) == Some(key));
    if !is_listed {
        return problem("has weights whose storage is not the one that is listed");
    }

    let counted = cursor.u64()?;
    let length = count.checked_mul(BYTES).filter(|_| counted == count);
    let Some(length) = length.filter(|length| *length == cursor.remaining() as u64) else {
        return problem(format!(
            "has a storage of {count} weights, or {counted}, in {} bytes",
            cursor.remaining()
        ));
    };
    cursor.take(length)
}

/// Key and number of values of `('storage', FloatStorage, key, device, count, None)`.
fn described<'a>(arena: &Arena<'a>, named: Id) -> Option<(&'a str, u64)> {
    let Value::Persistent(tuple) = arena.get(named) else { return None };
    let &[kind, class, key, device, count, view] = arena.tuple(*tuple)? else { return None };
    arena.text(device)?;
    let is_float = matches!(arena.get(class), Value::Global(Global::FloatStorage));
    if arena.text(kind)? != "storage" || !is_float || !arena.is_none(view) {
        return None;
    }
    Some((arena.text(key)?, arena.count(count)?))
}
