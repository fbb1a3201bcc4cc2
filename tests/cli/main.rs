//! The command line as a person uses it: every test starts the binary in a folder of its own.
//!
//! - `broken_inputs`: whatever is wrong with files, flags or places ends in one sentence, and nothing is half
//!   written;
//! - `dataset`: check, convert and look at data sets;
//! - `session`: train, look, sample, share;
//! - `resume`: a run that was killed ends with the same bits as one that was not;
//! - `official`: snapshots of the official code are looked at, sampled from, imported, and trained further;
//! - `metrics`: snapshots are measured and the best is kept;
//! - `shipped`: what ships with the page opens and is what it says;
//! - `tune`: kernels are chosen by measuring them.

#![cfg(unix)]

mod broken_inputs;
mod dataset;
mod inputs;
mod metrics;
mod official;
mod places;
mod resume;
mod scene;
mod session;
mod shipped;
mod trained;
mod tune;
mod weights;

#[path = "../../fuzz/src/pickles.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod pickles;
