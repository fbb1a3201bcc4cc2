//! `cargo xtask serve`: the page, on this machine.

use anyhow::{Result, bail};
use std::path::Path;

pub fn serve() -> Result<()> {
    if Path::new("www").exists() {
        bail!("www/ is there, but this chore does not build it yet: see xtask/src/serve.rs");
    }
    println!(
        "There is no page yet, so nothing is served: once www/ exists, `cargo xtask serve` will build the library \
         for the browser and the page around it, and serve both on this machine."
    );
    Ok(())
}
