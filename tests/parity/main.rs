//! Parity with the reference implementation: every number here was made by it, but those of `pictures_by_seed`,
//! which are our own CPU's for all other devices.
//!
//! Each check runs on the CPU and on wgpu (lavapipe in CI), and through `browser.rs` in a browser. Fixtures are
//! folders of `tests/fixtures`, and of the directory in `R3GAN_FIXTURES`; all folders of a kind are checked, so
//! more can be added without code.
//! Tolerances: forward 1e-5 and gradients 1e-4 of a tensor's largest value, weights after training 1e-5.

mod augmentation;
mod compare;
mod finishes;
mod fixtures;
mod host;
mod kernels;
mod networks;
mod official_run;
mod pictures;
mod platform;
mod reduced_precision;
mod snapshots;
mod training;
