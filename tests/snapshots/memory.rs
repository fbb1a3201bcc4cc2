//! How much memory the reader takes: in proportion to the file, whatever the file claims.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use crate::exercise;
use crate::pickles::{self, cifar_batch, dict, encode, object, snapshot, text};
use crate::reader;

/// The system's allocator, with the bytes that this thread holds and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    HELD.set(HELD.get() + change);
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: everything is the system allocator's; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most bytes that reading took beyond those of the file.
fn peak(bytes: &[u8]) -> usize {
    let before = HELD.get();
    MOST.set(before);
    let _ = exercise::snapshot(bytes);
    let _ = exercise::batch(bytes);
    (MOST.get() - before) as usize
}

/// The instruction, a length of 2^60, 2^31 or all ones, and nothing of that length behind it.
#[test]
fn a_length_that_lies_takes_nothing() {
    for instruction in [0x8eu8, 0x8d, 0x95, b'B', b'X', b'C', 0x8c, 0x8a] {
        for length in [1u64 << 60, 1 << 31, u64::MAX] {
            let mut bytes = vec![0x80, 4, instruction];
            bytes.extend(length.to_le_bytes());
            bytes.resize(50, 0);
            let peak = peak(&bytes);
            assert!(peak < 4096, "{peak} bytes for {instruction:#x} of {length}");
        }
    }
}

#[test]
fn memory_follows_from_the_length_of_the_file() {
    let repeat = |unit: &[u8], times| [b"\x80\x04", unit.repeat(times).as_slice()].concat();
    for (what, bytes) in [
        ("values", repeat(b"N", 300_000)),
        ("remembered values", repeat(b"N\x94", 300_000)),
        ("lists", repeat(b"]Na", 200_000)),
        ("tuples in each other", repeat(b")\x85", 200_000)),
        ("entries of one dictionary", [&repeat(b"}", 1)[..], &b"NNs".repeat(200_000)].concat()),
        ("one list again and again", [&repeat(b"]\x94(", 1)[..], &b"h\0".repeat(300_000), b"e."].concat()),
        ("a whole snapshot", encode(&snapshot(), 4)),
        ("a batch of CIFAR-10", cifar_batch(&[1; 5], &[0; 5 * 3072])),
    ] {
        let peak = peak(&bytes);
        // A value takes 32 bytes, and a list that grows takes three times its length for a moment.
        assert!(peak < 160 * bytes.len(), "{what}: {peak} bytes for {}", bytes.len());
    }
}

/// Modules that have the one before them ten times, nine levels deep: a billion of them, in four kilobytes.
#[test]
fn shared_modules_do_not_multiply() {
    let part = || pickles::Tree::Global("R3GAN.Networks", "Convolution");
    let module = |modules| object(part(), vec![], dict(vec![]), modules);
    let mut whole = dict(vec![("G_ema", pickles::network("Generator"))]);
    *whole.at("G_ema").at("_modules") = pickles::Tree::Dict(vec![(text("bomb"), module(vec![]))]);
    let mut bytes = encode(&whole, 4);
    // In place of the empty module: each level in the memo, and ten times in the next one.
    let state =
        |modules: &[u8]| [b"}(\x8c\x0b_parameters}\x8c\x08_buffers}\x8c\x08_modules", modules, b"u"].concat();
    let class: &[u8] = b"\x8c\x0eR3GAN.Networks\x8c\x0bConvolution\x93)\x81";
    let mut bomb = [class, &state(b"}"), b"br\xe8\x03\0\0"].concat();
    for level in 0..9u32 {
        let again: Vec<u8> = (b'a'..=b'j')
            .flat_map(|name| [&[0x8c, 1, name, b'j'][..], &(1000 + level).to_le_bytes()].concat())
            .collect();
        let modules = [b"}(", &again[..], b"u"].concat();
        bomb.extend([b"0", class, &state(&modules), b"br", &(1001 + level).to_le_bytes()].concat());
    }
    let at = bytes.windows(6).position(|part| part == b"\x04bomb\x94").expect("its name") + 6;
    let end = bytes.len();
    bytes.splice(at..end, bomb);
    // The ends of the dictionary of modules, of the network's state, of the network, and of the whole.
    bytes.extend(b"uubu.");
    let read = reader::Snapshot::read(&bytes).expect("a pickle");
    let refused = read.module("G_ema", reader::Side::Generator).expect_err("too many modules");
    assert!(refused.to_string().contains("too many modules"), "{refused}");
    let peak = peak(&bytes);
    assert!(peak < 4 << 20, "{peak} bytes for {}", bytes.len());
}

#[test]
fn a_real_snapshot_takes_little_more_than_itself() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/official_pickle/tiny-network-snapshot.pkl");
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let peak = peak(&bytes);
    println!("{peak} bytes for a snapshot of {}", bytes.len());
    assert!(exercise::snapshot(&bytes).is_some() && peak < 2 * bytes.len(), "{peak}");
}
