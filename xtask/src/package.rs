//! `cargo xtask package`: what is given away. The static site with compressed twins for hosts that serve them, and
//! the npm package.

use crate::run::{captured, command, readable, say, size};
use crate::site::{self, names, names::Files};
use crate::{node, site::read_tree};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

const FOLDER: &str = "target/package";
/// What a first visit may load, compressed, before its first picture; the model comes on top.
const BUDGET: usize = 2_500_000;
/// Pictures are compressed already, and models and data sets are fetched in ranges, which count plain bytes.
const COMPRESSIBLE: [&str; 9] = ["html", "js", "css", "json", "webmanifest", "svg", "wasm", "md", "txt"];

/// Makes the site and the package in `target/package`, and prints what they weigh.
pub fn package() -> Result<()> {
    site::build()?;
    let begun = Instant::now();
    let mut files = Files::new();
    read_tree(Path::new(site::FOLDER), "", &mut files)?;
    let folder = Path::new(FOLDER).join("site");
    let twins = compressed(&files, &folder)?;
    write_anew(&folder, files.iter().chain(&twins))?;
    say(format!("compressed in {}", readable(begun.elapsed())));
    let tarball = tarball()?;
    let (table, first) = table(&files, &twins);
    println!("\n{table}");
    println!("{}: {}", tarball.display(), size(fs::metadata(&tarball)?.len() as usize));
    println!("{}: {} files", folder.display(), files.len() + twins.len());
    for (who, first) in [("with WebGPU", first[0]), ("on the CPU's cores", first[1])] {
        if first > BUDGET {
            bail!("a first visit {who} loads {}, over its budget of {}", size(first), size(BUDGET));
        }
        println!("a first visit {who} loads {}, within its budget of {}", size(first), size(BUDGET));
    }
    Ok(())
}

/// `name.br` and `name.gz` for each file that gets smaller by them; from `before`, a site that was packed earlier,
/// where the file is the same.
fn compressed(files: &Files, before: &Path) -> Result<Files> {
    let todo: Vec<_> = files.iter().filter(|(path, _)| COMPRESSIBLE.contains(&extension(path))).collect();
    let queue = Mutex::new(todo.into_iter());
    let done = Mutex::new(Files::new());
    let work = || -> Result<()> {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some((path, bytes)) = next else { return Ok(()) };
            let kept = |ending: &str| {
                let same = fs::read(before.join(path)).is_ok_and(|old| old == *bytes);
                same.then(|| fs::read(before.join(format!("{path}.{ending}"))).ok()).flatten()
            };
            let twins = [
                ("br", kept("br").map_or_else(|| brotli(bytes), Ok)?),
                ("gz", kept("gz").map_or_else(|| gzip(bytes), Ok)?),
            ];
            for (ending, twin) in twins {
                if twin.len() < bytes.len() {
                    let mut done = done.lock().map_err(|_| anyhow::anyhow!("another file failed"))?;
                    done.insert(format!("{path}.{ending}"), twin);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(result) => result,
            Err(_) => bail!("compressing stopped short"),
        })
    })?;
    Ok(done.into_inner().unwrap_or_default())
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let settings = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut twin = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut twin, &settings)?;
    Ok(twin)
}

pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn extension(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension)
}

/// Replaces a folder by one with these files; it is whole or it is not there.
fn write_anew<'a>(folder: &Path, files: impl Iterator<Item = (&'a String, &'a Vec<u8>)>) -> Result<()> {
    let unfinished = folder.with_extension("unfinished");
    for old in [&unfinished, folder] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    for (path, bytes) in files {
        let path = unfinished.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(path, bytes)?;
    }
    Ok(fs::rename(unfinished, folder)?)
}

/// `npm pack`, and a look at what it packed.
fn tarball() -> Result<PathBuf> {
    let npm = node::npm()?;
    let mut files = Files::new();
    for name in site::promised()?.into_iter().chain(["package.json".into(), "README.md".into()]) {
        // The licences lie at the repository's root.
        let place = [format!("pkg/{name}"), name.clone()].into_iter().find(|path| Path::new(path).is_file());
        let place = place.with_context(|| format!("pkg/package.json promises {name}, which is not there"))?;
        files.insert(name, fs::read(place)?);
    }
    check_package(&files)?;
    let folder = fs::canonicalize("target")?.join("package");
    let staged = folder.join("npm");
    write_anew(&staged, files.iter())?;
    let mut pack = command(npm, &["pack", "--silent", "--pack-destination"]);
    let name = captured(pack.arg(&folder).current_dir(&staged))?;
    let tarball = folder.join(name.trim());
    let listed = captured(command("tar", &["-tzf"]).arg(&tarball))?;
    let packed: BTreeSet<_> = listed.lines().filter_map(|line| line.strip_prefix("package/")).collect();
    let wanted: BTreeSet<_> = files.keys().map(String::as_str).collect();
    if packed != wanted {
        let list = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| -> String {
            a.difference(b).copied().collect::<Vec<_>>().join(", ")
        };
        bail!(
            "the npm package is not what pkg/package.json promises; missing: {}; unasked for: {}",
            list(&wanted, &packed),
            list(&packed, &wanted)
        );
    }
    Ok(PathBuf::from(FOLDER).join(name.trim()))
}

/// The package's description is true, and every file finds the others.
fn check_package(files: &Files) -> Result<()> {
    let package: Value = serde_json::from_slice(&files["package.json"]).context("pkg/package.json")?;
    if package["version"] != env!("CARGO_PKG_VERSION") {
        let version = env!("CARGO_PKG_VERSION");
        bail!("pkg/package.json has version {}, and the workspace {version}", package["version"]);
    }
    let mut entries = Vec::new();
    for key in ["main", "types", "exports"] {
        strings(&package[key], &mut entries);
    }
    for entry in entries {
        let path = entry.trim_start_matches("./");
        let there = match path.split_once('*') {
            Some((start, end)) => files.keys().any(|file| file.starts_with(start) && file.ends_with(end)),
            None => files.contains_key(path),
        };
        if !there {
            bail!("pkg/package.json names {entry}, which the package does not hold");
        }
    }
    if !files.keys().any(|name| name.starts_with("LICEN")) {
        bail!("pkg/package.json must list LICENSE-APACHE and LICENSE-MIT among its files");
    }
    let others = files.iter().filter(|(path, _)| *path != "package.json");
    names::hashed(others.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()).context("pkg")?;
    Ok(())
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
}

/// Whether a file may be loaded before the first picture. The manifest's icons come with what the service worker keeps,
/// after it.
fn before_first_picture(path: &str, part: &str) -> bool {
    let of_manifest = path.starts_with("icons/icon-") || path.starts_with("icons/maskable-");
    !["models", "data", "texts"].contains(&part) && !of_manifest && !site::is_of_bench(path)
}

/// The sizes of the site's parts, and of what a first visit loads: with WebGPU, and on the CPU's cores.
fn table(files: &Files, twins: &Files) -> (String, [usize; 2]) {
    let mut parts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut first = [0; 2];
    for (path, bytes) in files {
        let part = match extension(path) {
            "wasm" => "wasm",
            "js" => "scripts",
            "css" => "styles",
            "html" | "json" | "webmanifest" => "page",
            "png" | "svg" | "webp" | "jpg" | "ico" => "pictures",
            "safetensors" => "models",
            _ if path.starts_with("data/") => "data",
            _ => "texts",
        };
        let twin = |ending: &str| twins.get(&format!("{path}.{ending}")).map_or(bytes.len(), Vec::len);
        let row = parts.entry(part).or_default();
        for (sum, size) in row.iter_mut().zip([1, bytes.len(), twin("gz"), twin("br")]) {
            *sum += size;
        }
        let needless = [site::is_of_cores(path), site::is_of_gpu(path)];
        for (sum, needless) in first.iter_mut().zip(needless) {
            if before_first_picture(path, part) && !needless {
                *sum += twin("br");
            }
        }
    }
    let mut table = format!("{:10} {:>5} {:>10} {:>10} {:>10}\n", "part", "files", "plain", "gzip", "brotli");
    for (part, [count, plain, gzip, brotli]) in parts {
        let [plain, gzip, brotli] = [plain, gzip, brotli].map(size);
        table += &format!("{part:10} {count:>5} {plain:>10} {gzip:>10} {brotli:>10}\n");
    }
    (table, first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn twins_decompress_to_their_file_and_are_smaller() {
        let text = "faces ".repeat(100);
        let site =
            files(&[("a.js", &text), ("b.js", "x"), ("models/c.safetensors", &text), ("d.png", &text)]);
        let twins = compressed(&site, Path::new("/nowhere")).unwrap();
        assert_eq!(twins.keys().collect::<Vec<_>>(), ["a.js.br", "a.js.gz"]);
        let mut plain = String::new();
        flate2::read::GzDecoder::new(&twins["a.js.gz"][..]).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text);
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &twins["a.js.br"][..], &mut plain).unwrap();
        assert_eq!(plain, text.as_bytes());
    }

    #[test]
    fn twins_of_a_file_that_is_the_same_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let text = "faces ".repeat(100);
        write_anew(&folder.path().join("site"), files(&[("a.js", &text), ("a.js.br", "kept")]).iter())
            .unwrap();
        let before = folder.path().join("site");
        assert_eq!(compressed(&files(&[("a.js", &text)]), &before).unwrap()["a.js.br"], b"kept");
        let changed = text + "!";
        assert_ne!(compressed(&files(&[("a.js", &changed)]), &before).unwrap()["a.js.br"], b"kept");
    }

    #[test]
    fn a_package_that_promises_too_much_is_refused() {
        let version = env!("CARGO_PKG_VERSION");
        let description = |main: &str, version: &str| {
            format!(r#"{{"version": "{version}", "main": "{main}", "exports": {{"./wasm/*": "./wasm/*"}}}}"#)
        };
        let check = |description: &str, script: &str, licence: &str| {
            let list =
                [("package.json", description), ("index.js", script), ("wasm/a.js", ""), (licence, "free")];
            check_package(&files(&list))
        };
        let good = description("./index.js", version);
        check(&good, "import './wasm/a.js'", "LICENSE-MIT").unwrap();
        assert!(check(&good, "import './wasm/b.js'", "LICENSE-MIT").is_err());
        assert!(check(&good, "import './wasm/a.js'", "NOTES").is_err());
        assert!(check(&description("./gone.js", version), "", "LICENSE-MIT").is_err());
        assert!(check(&description("./index.js", "9.9.9"), "", "LICENSE-MIT").is_err());
    }

    #[test]
    fn a_first_visit_loads_all_but_models_data_and_texts() {
        let site = files(&[
            ("index.html", "1234"),
            ("a.wasm", "12345"),
            ("pkg/wasm/r3gan_bg.0123456789.wasm", "123456789"),
            ("pkg/wasm/r3gan_cpu_bg.0123456789.wasm", "123456"),
            ("m.safetensors", "123"),
            ("c.md", "12"),
            ("icons/icon-512.png", "1234567"),
            ("bench.html", "12345678"),
        ]);
        let twins = files(&[("a.wasm.br", "1"), ("a.wasm.gz", "12")]);
        let (table, first) = table(&site, &twins);
        assert_eq!(first, [4 + 1 + 9, 4 + 1 + 6]);
        assert!(table.contains("wasm           3       20 B       17 B       16 B"), "{table}");
    }
}
