//! A linked wasm module made ready for the web: wasm-bindgen writes its JavaScript, wasm-opt makes it smaller.

use crate::run::{command, readable, run, say, size};
use crate::wasm::{self, Module, Route};
use crate::{node, tools};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where the npm package holds its module.
const PACKAGE: &str = "pkg/wasm";
/// The npm package of wasm-opt: Debian's is too old to read what today's compiler writes.
const BINARYEN: &str = "xtask/wasm";

#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
pub enum Form {
    /// As it ships, which takes minutes
    #[default]
    Small,
    /// At once, twice as large, with the names of functions: for work on the code
    Quick,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Quick => "quick",
        }
    }

    /// What wasm-opt is told; nothing where it is left out.
    const fn optimizer(self) -> &'static [&'static str] {
        match self {
            Self::Small => &["-Os", "--all-features"],
            Self::Quick => &[],
        }
    }
}

/// Makes `pkg/wasm`. Whoever asks for the quick form gets the small one where that is made already.
pub fn package(route: Route, form: Form) -> Result<()> {
    let linked = wasm::link(route, Module::Library)?;
    let small = Recipe::new(Module::Library, &linked, Form::Small)?;
    let recipe = match form {
        Form::Quick if !small.is_made() => Recipe::new(Module::Library, &linked, Form::Quick)?,
        _ => small,
    };
    recipe.make(&linked)?;
    let package = Path::new(PACKAGE);
    if recipe.outputs().all(|name| same(&recipe.folder.join(&name), &package.join(&name))) {
        say(format!("{PACKAGE} is up to date"));
        return Ok(());
    }
    let unfinished = Path::new("pkg/wasm.unfinished");
    empty(unfinished)?;
    for name in recipe.outputs() {
        fs::copy(recipe.folder.join(&name), unfinished.join(&name))?;
    }
    replace(unfinished, package)
}

/// Makes the parity tests' module and says where it lies. It is loaded once, so it may be large.
pub fn parity(route: Route) -> Result<PathBuf> {
    let linked = wasm::link(route, Module::Parity)?;
    let recipe = Recipe::new(Module::Parity, &linked, Form::Quick)?;
    recipe.make(&linked)?;
    Ok(recipe.folder)
}

/// How one form of a module comes from what was linked.
struct Recipe {
    module: Module,
    form: Form,
    /// Where the result is kept.
    folder: PathBuf,
    /// A hash of everything that the result depends on.
    stamp: String,
}

impl Recipe {
    fn new(module: Module, linked: &Path, form: Form) -> Result<Self> {
        let mut hash = Sha256::new();
        hash.update(fs::read(linked).with_context(|| linked.display().to_string())?);
        hash.update(tools::wasm_bindgen_version()?);
        if form == Form::Small {
            hash.update(form.optimizer().join(" "));
            hash.update(fs::read(Path::new(BINARYEN).join("package-lock.json"))?);
        }
        let stamp = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = PathBuf::from(format!("target/wasm/{}-{}", module.name(), form.name()));
        Ok(Self { module, form, folder, stamp })
    }

    /// The module, its JavaScript, and the types of that, against which the worker is checked.
    fn outputs(&self) -> impl Iterator<Item = String> {
        let name = self.module.name();
        [format!("{name}_bg.wasm"), format!("{name}.js"), format!("{name}.d.ts")].into_iter()
    }

    fn is_made(&self) -> bool {
        fs::read_to_string(self.folder.join("stamp")).is_ok_and(|stamp| stamp == self.stamp)
    }

    fn make(&self, linked: &Path) -> Result<()> {
        if self.is_made() {
            return Ok(());
        }
        let begun = Instant::now();
        let unfinished = self.folder.with_extension("unfinished");
        empty(&unfinished)?;
        let program = tools::wasm_bindgen()?;
        let name = self.module.name();
        let mut bind = command(&program.display().to_string(), &["--target=web"]);
        run(bind.arg("--out-name").arg(name).arg("--out-dir").arg(&unfinished).arg(linked))?;
        let module = unfinished.join(format!("{name}_bg.wasm"));
        if !self.form.optimizer().is_empty() {
            let program = node::packages(BINARYEN)?.join("binaryen/bin/wasm-opt");
            let before = size(fs::metadata(&module)?.len() as usize);
            say(format!("wasm-opt makes {before} smaller, which takes some minutes"));
            let mut node = command("node", &[&program.display().to_string()]);
            run(node.args(self.form.optimizer()).arg(&module).arg("-o").arg(&module))?;
        }
        fs::write(unfinished.join("stamp"), &self.stamp)?;
        let bytes = size(fs::metadata(&module)?.len() as usize);
        replace(&unfinished, &self.folder)?;
        say(format!("{}: {bytes}, in {}", self.folder.display(), readable(begun.elapsed())));
        Ok(())
    }
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Moves a folder that is whole to its place.
fn replace(unfinished: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::rename(unfinished, folder)?)
}
