//! A file's contents in its name, so that a browser may keep it for ever: `main.js` becomes `main.3f9c0a71d2.js`.
//!
//! A file that names others is rewritten before it is hashed, so the order is that of dependencies and a circle has
//! no order. Whatever names a file that is not there, or names one in a way that cannot be rewritten, is an error:
//! it would fail in a browser, later.

use super::references::{self, Kind, Reference};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;

/// A site in memory, by path from its root.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Gives every file that is not an entry a hashed name, everywhere.
pub fn hashed(files: Files) -> Result<Files> {
    let mut names = Names { files: &files, settled: BTreeMap::new(), open: Vec::new() };
    for path in files.keys() {
        names.settle(path)?;
    }
    Ok(names.settled.into_values().collect())
}

/// Ten digits of SHA-256: enough to tell versions of one file apart.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

/// What a browser or a person asks for by name. Licences are not asked for at all, and keep theirs.
fn is_entry(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    path == "sw.js" || ["html", "webmanifest", "txt", ""].contains(&extension)
}

struct Names<'a> {
    files: &'a Files,
    /// The new name and contents by the old name.
    settled: BTreeMap<&'a str, (String, Vec<u8>)>,
    /// The files that are being settled, each named by the one before.
    open: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn settle(&mut self, path: &'a str) -> Result<()> {
        if self.settled.contains_key(path) {
            return Ok(());
        }
        if let Some(start) = self.open.iter().position(|open| *open == path) {
            let circle = [&self.open[start..], &[path]].concat().join(" -> ");
            bail!("files that name each other in a circle cannot be named by their contents: {circle}");
        }
        self.open.push(path);
        let text = &self.files[path];
        let contents = match path.ends_with(".json") || path.ends_with(".webmanifest") {
            true => self.json(path, text)?,
            false => self.rewritten(path, text)?,
        };
        self.open.pop();
        let name = match (is_entry(path), path.rsplit_once('.')) {
            (false, Some((stem, extension))) => format!("{stem}.{}.{extension}", digest(&contents)),
            _ => path.to_owned(),
        };
        self.settled.insert(path, (name, contents));
        Ok(())
    }

    fn rewritten(&mut self, path: &str, text: &[u8]) -> Result<Vec<u8>> {
        let mut changes: Vec<(Range<usize>, String)> = Vec::new();
        for reference in references::find(path, text)? {
            if let Some(address) = self.address(path, &reference)? {
                changes.push((reference.place, address));
            }
        }
        let mut contents = Vec::with_capacity(text.len());
        let mut at = 0;
        for (place, address) in changes {
            contents.extend_from_slice(&text[at..place.start]);
            contents.extend_from_slice(address.as_bytes());
            at = place.end;
        }
        contents.extend_from_slice(&text[at..]);
        Ok(contents)
    }

    /// A document without the white space, its paths rewritten; they count from the document's own folder.
    fn json(&mut self, path: &str, text: &[u8]) -> Result<Vec<u8>> {
        let mut document: Value =
            serde_json::from_slice(text).with_context(|| format!("{path} is no JSON"))?;
        references::paths_in_json(&mut document, &mut |address| {
            let reference = Reference { place: 0..0, address: address.clone(), kind: Kind::Address };
            if let Some(new) = self.address(path, &reference)? {
                *address = new;
            }
            Ok(())
        })?;
        Ok(serde_json::to_vec(&document)?)
    }

    /// The new address, if it changes: another name in the same folder.
    fn address(&mut self, path: &str, reference: &Reference) -> Result<Option<String>> {
        let Reference { address, kind, .. } = reference;
        if *kind == Kind::Mention {
            return self.mention(path, address).map(|()| None);
        }
        if references::elsewhere(address) {
            return Ok(None);
        }
        if *kind == Kind::Module && !address.starts_with('.') {
            bail!(
                "{path} imports {address}, and a browser knows no packages: import a path that begins with ./ or ../"
            );
        }
        let from = if *kind == Kind::Page { "" } else { path };
        let (target, rest) = references::resolve(from, address)?;
        if target.is_empty() || target.ends_with('/') {
            // A folder, from which other addresses are resolved.
            return Ok(None);
        }
        let Some((target, _)) = self.files.get_key_value(&target) else {
            bail!("{path} names {address}, and the site has no {target}");
        };
        if is_entry(target) {
            return Ok(None);
        }
        self.settle(target)?;
        let name = self.settled[target.as_str()].0.rsplit('/').next().unwrap_or_default();
        let folders = &address[..address.len() - rest.len()];
        let folders = folders.rfind('/').map_or("", |slash| &folders[..=slash]);
        Ok(Some(format!("{folders}{name}{rest}")))
    }

    /// A string that is exactly the path of a file whose name changes would be wrong afterwards.
    fn mention(&self, path: &str, text: &str) -> Result<()> {
        if references::elsewhere(text) || text.starts_with('/') || !text.contains('.') {
            return Ok(());
        }
        for from in [path, ""] {
            let Ok((target, _)) = references::resolve(from, text) else { continue };
            if self.files.contains_key(&target) && !is_entry(&target) {
                bail!(
                    "{path} names {text} in a way that cannot be rewritten: write new URL(\"...\", import.meta.url), \
                     or document.baseURI for an address that counts from the page"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn refused(files: &[(&str, &str)]) -> String {
        format!("{:#}", hashed(site(files)).unwrap_err())
    }

    /// The name of the only file that begins and ends so.
    fn name<'a>(files: &'a Files, start: &str, end: &str) -> &'a str {
        let mut found = files.keys().filter(|path| path.starts_with(start) && path.ends_with(end));
        let name = found.next().unwrap();
        assert!(found.next().is_none());
        name
    }

    const SITE: [(&str, &str); 9] = [
        (
            "index.html",
            r##"<link href="css/a.css" rel=stylesheet><script src=js/a.js type=module></script><a href="#x">x</a>"##,
        ),
        ("css/a.css", "body { background: url('../icons/b.png?v=2') }"),
        ("icons/b.png", "\u{1}not text"),
        (
            "js/a.js",
            r#"import { b } from "./b.js"; register("sw.js"); new URL("catalog.json", document.baseURI)"#,
        ),
        ("js/b.js", r#"export const b = new URL("../pkg/b.wasm", import.meta.url)"#),
        ("pkg/b.wasm", "\0asm"),
        ("catalog.json", r#"{ "z": 1, "models": [{ "file": "models/a.safetensors", "bytes": 3 }] }"#),
        ("models/a.safetensors", "abc"),
        ("sw.js", "const VERSION = '__VERSION__';"),
    ];

    #[test]
    fn every_name_changes_everywhere() {
        let files = hashed(site(&SITE)).unwrap();
        assert_eq!(files.len(), SITE.len());
        let text = |path: &str| String::from_utf8(files[path].clone()).unwrap();
        let page = text("index.html");
        assert!(page.contains(name(&files, "css/a.", ".css")) && page.contains(name(&files, "js/a.", ".js")));
        let picture = name(&files, "icons/b.", ".png").rsplit('/').next().unwrap();
        assert!(text(name(&files, "css/a.", ".css")).contains(&format!("'../icons/{picture}?v=2'")));
        let script = text(name(&files, "js/a.", ".js"));
        assert!(script.contains(&format!("\"./{}\"", &name(&files, "js/b.", ".js")[3..])));
        assert!(script.contains("\"sw.js\"") && script.contains(name(&files, "catalog.", ".json")));
        assert!(
            text(name(&files, "js/b.", ".js")).contains(&format!("../{}", name(&files, "pkg/b.", ".wasm")))
        );
        let catalog = text(name(&files, "catalog.", ".json"));
        let model = name(&files, "models/a.", ".safetensors");
        assert_eq!(catalog, format!(r#"{{"z":1,"models":[{{"file":"{model}","bytes":3}}]}}"#));
        assert_eq!(model, format!("models/a.{}.safetensors", digest(b"abc")));
        // SHA-256 of "abc" begins so.
        assert_eq!(digest(b"abc"), "ba7816bf8f");
    }

    #[test]
    fn a_change_reaches_every_file_that_leads_to_it_and_no_other() {
        let before = hashed(site(&SITE)).unwrap();
        let mut changed = site(&SITE);
        changed.insert("pkg/b.wasm".into(), b"\0asm2".to_vec());
        let after = hashed(changed).unwrap();
        let same = |start, end| name(&before, start, end) == name(&after, start, end);
        assert!(!same("pkg/b.", ".wasm") && !same("js/b.", ".js") && !same("js/a.", ".js"));
        assert!(same("css/a.", ".css") && same("catalog.", ".json"));
        assert_ne!(before["index.html"], after["index.html"]);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let circle = refused(&[("js/a.js", "import './b.js'"), ("js/b.js", "import './a.js'")]);
        assert!(circle.contains("js/a.js -> js/b.js -> js/a.js"), "{circle}");
        assert!(refused(&[("js/a.js", "import './a.js'")]).contains("js/a.js -> js/a.js"));
        assert!(refused(&[("js/a.js", "import './gone.js'")]).contains("the site has no js/gone.js"));
        assert!(refused(&[("index.html", "<img src='gone.png'>")]).contains("the site has no gone.png"));
        assert!(
            refused(&[("catalog.json", r#"["models/gone.png"]"#)])
                .contains("the site has no models/gone.png")
        );
        assert!(refused(&[("catalog.json", "{")]).contains("catalog.json is no JSON"));
        assert!(refused(&[("js/a.js", "import 'uplot'")]).contains("imports uplot"));
        assert!(refused(&[("index.html", "<img src='/a.png'>"), ("a.png", "")]).contains("make it relative"));
        assert!(refused(&[("index.html", "<img src='../a.png'>")]).contains("outside the site"));
        for text in ["fetch('a.json')", "fetch('../a.json')", "importScripts('a.json')"] {
            assert!(
                refused(&[("js/a.js", text), ("a.json", "{}")]).contains("cannot be rewritten"),
                "{text}"
            );
        }
    }

    #[test]
    fn other_strings_are_left_alone() {
        let files = [
            (
                "js/a.js",
                "say('a.b', 'js', '../../x.y', 'https://a.b/js/b.js'); new URL('../', import.meta.url)",
            ),
            (
                "index.html",
                "<a href='?seed=1'>1</a><a href='https://example.org/js/a.js'>2</a><a href='./'>3</a>",
            ),
        ];
        let files = hashed(site(&files)).unwrap();
        assert_eq!(
            files["index.html"],
            b"<a href='?seed=1'>1</a><a href='https://example.org/js/a.js'>2</a><a href='./'>3</a>"
        );
    }
}
