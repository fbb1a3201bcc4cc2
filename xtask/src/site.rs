//! The static site: `www/`, the npm package and what the page takes from npm, in one folder for any host.
//!
//! Trunk copies what `www/index.html` names with `data-trunk` and serves the result while somebody works on it.
//! Names by content, the service worker's list and the check of every reference are done here, in its hook
//! `post_build`: Trunk hashes only what it links into the page itself, neither modules that import each other nor
//! what workers and the catalog name.

pub mod names;
mod references;
mod scripts;

use crate::run::{command, run, say, size};
use crate::{bindings, node, tools, wasm};
use anyhow::{Context, Result, bail};
use names::Files;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where Trunk.toml puts the site.
pub const FOLDER: &str = "target/site";
/// What the page takes from npm, by its place in the site.
const VENDOR: [(&str, &str); 3] = [
    ("vendor/uplot/uPlot.esm.js", "uplot/dist/uPlot.esm.js"),
    ("vendor/uplot/uPlot.min.css", "uplot/dist/uPlot.min.css"),
    ("vendor/uplot/LICENSE", "uplot/LICENSE"),
];

/// Makes what Trunk's hooks need, so that they have little to wait for.
pub fn prepare() -> Result<()> {
    node::packages("www")?;
    bindings::package(wasm::Route::Auto)
}

/// Builds the site into [`FOLDER`].
pub fn build() -> Result<()> {
    prepare()?;
    run(&mut trunk(&["build"])?)
}

/// A command of Trunk that speaks up only when something is wrong: our hooks say what is done.
pub fn trunk(args: &[&str]) -> Result<Command> {
    let program = tools::trunk()?;
    let mut trunk = command(&program.display().to_string(), args);
    trunk.args(["--config", "Trunk.toml", "--log", "error", "--offline=true", "--skip-version-check"]);
    trunk.env("RUST_LIB_BACKTRACE", "0");
    Ok(trunk)
}

/// Trunk's hook `post_build`: completes the site that it has put together in `staging`.
pub fn finish(staging: &Path) -> Result<()> {
    let mut files = Files::new();
    read_tree(staging, "", &mut files)?;
    let package = promised()?.into_iter().filter(|file| file.ends_with(".js") || file.ends_with(".wasm"));
    let package = package.map(|file| (format!("pkg/{file}"), format!("pkg/{file}")));
    let vendor = VENDOR.map(|(place, file)| (place.to_owned(), format!("www/node_modules/{file}")));
    for (place, file) in package.chain(vendor) {
        let bytes = fs::read(&file).with_context(|| format!("{file}: `cargo xtask serve` would make it"))?;
        files.insert(place, bytes);
    }
    let mut files = names::hashed(files)?;
    let version = complete(&mut files)?;
    fs::remove_dir_all(staging)?;
    for (path, bytes) in &files {
        let path = staging.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(path, bytes)?;
    }
    let bytes = files.values().map(Vec::len).sum();
    say(format!("site {version}: {} files, {}", files.len(), size(bytes)));
    Ok(())
}

/// What `pkg/package.json` says that the package holds, beside itself, its README and licence.
pub fn promised() -> Result<Vec<String>> {
    const PATH: &str = "pkg/package.json";
    let text = fs::read_to_string(PATH).context(PATH)?;
    let package: Value = serde_json::from_str(&text).context(PATH)?;
    let files = package["files"].as_array().with_context(|| format!("{PATH} has no list of files"))?;
    Ok(files.iter().filter_map(|file| file.as_str().map(str::to_owned)).collect())
}

pub fn read_tree(folder: &Path, prefix: &str, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_tree(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Fills in what depends on all files: the version, and what the service worker keeps.
fn complete(files: &mut Files) -> Result<String> {
    let mut all = Sha256::new();
    for (path, bytes) in &*files {
        all.update(format!("{path} {}\n", bytes.len()));
        all.update(bytes);
    }
    let version = format!("{}-{}", env!("CARGO_PKG_VERSION"), names::digest(&all.finalize()));
    let kept: Vec<_> = files.keys().filter(|path| is_kept(path)).collect();
    let kept = json!(kept).to_string();
    edit(files, "sw.js", &[("__VERSION__", &version), ("__PRECACHE__", &kept)])?;
    // A page that Trunk reloads has no version, so it installs no service worker to reload it from.
    let page = String::from_utf8_lossy(files.get("index.html").context("the site has no index.html")?);
    if !page.contains("{{__TRUNK_ADDRESS__}}") {
        let meta = format!("  <meta name=\"r3gan-build\" content=\"{version}\" />\n  </head>");
        edit(files, "index.html", &[("</head>", &meta)])?;
    }
    Ok(version)
}

/// Whether the page needs a file without a network: all but what it fetches, and keeps, when it is asked for.
fn is_kept(path: &str) -> bool {
    path != "sw.js"
        && !is_of_bench(path)
        && !is_of_cores(path)
        && !path.starts_with("data/")
        && !path.ends_with(".safetensors")
        && !path.ends_with("/LICENSE")
        && !path.ends_with(".txt")
}

/// Whether a file is the bench page's alone, which no visit to the page itself loads or keeps.
pub fn is_of_bench(path: &str) -> bool {
    path == "bench.html" || path.starts_with("js/bench/") || path.starts_with("css/bench.")
}

/// Whether a file is the module for the CPU's cores, which visitors with a GPU never load.
pub fn is_of_cores(path: &str) -> bool {
    path.starts_with("pkg/wasm/r3gan_cpu_bg.")
}

/// Whether a file is the module that every browser runs, and those that run the other one do without.
pub fn is_of_gpu(path: &str) -> bool {
    path.starts_with("pkg/wasm/r3gan_bg.")
}

/// Replaces words that a file holds exactly once.
fn edit(files: &mut Files, path: &str, changes: &[(&str, &str)]) -> Result<()> {
    let file = files.get_mut(path).with_context(|| format!("the site has no {path}"))?;
    let mut text = String::from_utf8(std::mem::take(file)).with_context(|| format!("{path} is not UTF-8"))?;
    for (word, replacement) in changes {
        if text.matches(word).count() != 1 {
            bail!("{path} must hold {word} once, for the build to replace it");
        }
        text = text.replace(word, replacement);
    }
    *file = text.into_bytes();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(page: &str) -> Files {
        let files = [
            ("index.html", page),
            ("sw.js", "const VERSION = \"__VERSION__\"; const PRECACHE = __PRECACHE__;"),
            ("js/main.0123456789.js", "1"),
            ("models/a.0123456789.safetensors", "2"),
            ("vendor/uplot/LICENSE", "3"),
            ("bench.html", "4"),
            ("js/bench/main.0123456789.js", "5"),
            ("css/bench.0123456789.css", "6"),
            ("pkg/wasm/r3gan_cpu_bg.0123456789.wasm", "7"),
        ];
        files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn text(files: &Files, path: &str) -> String {
        String::from_utf8(files[path].clone()).unwrap()
    }

    #[test]
    fn the_service_worker_keeps_the_page_and_its_version_follows_every_file() {
        let mut files = site("<head></head>");
        let version = complete(&mut files).unwrap();
        assert_eq!(
            text(&files, "sw.js"),
            format!(
                r#"const VERSION = "{version}"; const PRECACHE = ["index.html","js/main.0123456789.js"];"#
            )
        );
        assert!(text(&files, "index.html").contains(&format!("name=\"r3gan-build\" content=\"{version}\"")));
        let mut changed = site("<head></head>");
        changed.insert("models/b.safetensors".into(), Vec::new());
        assert_ne!(complete(&mut changed).unwrap(), version);
    }

    #[test]
    fn a_page_that_reloads_itself_installs_no_service_worker() {
        let mut files = site("<head></head><script>const address = '{{__TRUNK_ADDRESS__}}'</script>");
        complete(&mut files).unwrap();
        assert!(!text(&files, "index.html").contains("r3gan-build"));
    }

    #[test]
    fn a_page_or_worker_without_the_places_is_refused() {
        assert!(complete(&mut site("no head")).is_err());
        let mut files = site("<head></head>");
        files.insert("sw.js".into(), b"const VERSION = \"__VERSION__\";".to_vec());
        assert!(complete(&mut files).unwrap_err().to_string().contains("__PRECACHE__"));
    }
}
