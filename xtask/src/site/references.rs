//! Where one file of the site names another: the only places in which a name may change.

use super::scripts;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ops::Range;
use tree_sitter::Node;

/// A file's name inside another file.
#[derive(Debug, PartialEq)]
pub struct Reference {
    /// The address as written, in bytes of the file that names.
    pub place: Range<usize>,
    pub address: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// An address: the file must be there.
    Address,
    /// What `import` takes: a file too, and never a package's bare name.
    Module,
    /// An address that a script resolves from the page, which lies at the site's root.
    Page,
    /// A string that may be an address. Nothing says from where it is resolved, so it must not name a file whose
    /// name changes.
    Mention,
}

/// Every reference in a file of the site, in the order of their places; other kinds of files have none.
pub fn find(path: &str, text: &[u8]) -> Result<Vec<Reference>> {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    if !["html", "js", "mjs", "css"].contains(&extension) {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(text).with_context(|| format!("{path} is not UTF-8"))?;
    let mut found = match extension {
        "html" => in_html(text),
        "css" => Ok(in_css(text)),
        _ => scripts::references(text),
    }
    .with_context(|| path.to_owned())?;
    found.sort_by_key(|reference| reference.place.start);
    Ok(found)
}

/// Attributes that hold an address.
const ADDRESSES: [&str; 4] = ["href", "src", "poster", "data"];

fn in_html(text: &str) -> Result<Vec<Reference>> {
    let mut found = Vec::new();
    let tree = scripts::parse(&tree_sitter_html::LANGUAGE.into(), text)?;
    scripts::visit(tree.root_node(), &mut |node| {
        match node.kind() {
            "start_tag" | "self_closing_tag" => in_tag(node, text, &mut found)?,
            "style_element" | "script_element" => {
                let Some(raw) = scripts::child(node, "raw_text") else { return Ok(()) };
                let inside = match (node.kind(), attribute_of(node.child(0), "type", text)) {
                    ("style_element", _) => in_css(&text[raw.byte_range()]),
                    (_, None | Some("module" | "text/javascript")) => {
                        scripts::references(&text[raw.byte_range()])
                            .with_context(|| format!("the script in line {}", raw.start_position().row + 1))?
                    }
                    (_, Some("importmap")) => {
                        bail!("an import map is not rewritten: import by relative paths")
                    }
                    _ => Vec::new(),
                };
                found.extend(inside.into_iter().map(|mut reference| {
                    reference.place.start += raw.start_byte();
                    reference.place.end += raw.start_byte();
                    reference
                }));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn in_tag(tag: Node, text: &str, found: &mut Vec<Reference>) -> Result<()> {
    let name = scripts::child(tag, "tag_name").map_or("", |name| &text[name.byte_range()]);
    if name.eq_ignore_ascii_case("base") {
        bail!("<base> moves every address of the page: leave it out");
    }
    for (attribute, value) in attributes(tag, text) {
        let Some(value) = value else { continue };
        let written = &text[value.clone()];
        match attribute.to_ascii_lowercase().as_str() {
            "srcset" | "imagesrcset" => {
                let mut at = value.start;
                for candidate in written.split(',') {
                    let start = at + candidate.len() - candidate.trim_start().len();
                    let address = candidate.split_whitespace().next().unwrap_or("");
                    found.push(reference(start, address, Kind::Address));
                    at += candidate.len() + 1;
                }
            }
            attribute if ADDRESSES.contains(&attribute) => {
                found.push(reference(value.start, written, Kind::Address));
            }
            "content" if name.eq_ignore_ascii_case("meta") => {
                found.push(reference(value.start, written, Kind::Mention));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The attributes of a tag, with the place of each value.
fn attributes<'a>(tag: Node, text: &'a str) -> Vec<(&'a str, Option<Range<usize>>)> {
    let mut attributes = Vec::new();
    for attribute in scripts::children(tag).filter(|node| node.kind() == "attribute") {
        let Some(name) = scripts::child(attribute, "attribute_name") else { continue };
        let quoted = scripts::child(attribute, "quoted_attribute_value").unwrap_or(attribute);
        let value = scripts::child(quoted, "attribute_value").map(|value| value.byte_range());
        attributes.push((&text[name.byte_range()], value));
    }
    attributes
}

fn attribute_of<'a>(tag: Option<Node>, wanted: &str, text: &'a str) -> Option<&'a str> {
    let found = attributes(tag?, text).into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    Some(&text[found.1?])
}

fn reference(start: usize, address: &str, kind: Kind) -> Reference {
    Reference { place: start..start + address.len(), address: address.to_owned(), kind }
}

/// `url(...)` and `@import "..."`, outside comments. CSS grows faster than its grammars do, and to find addresses
/// takes no more than its comments and strings.
fn in_css(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut importing = false;
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if next == '"' || next == '\'' {
            let (inside, length) = css_string(rest);
            if importing {
                found.push(reference(at + 1, inside, Kind::Address));
            }
            importing = false;
            at += length;
        } else if rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("url(")) {
            let start = at + 4 + rest[4..].len() - rest[4..].trim_start().len();
            let rest = &text[start..];
            if rest.starts_with(['"', '\'']) {
                let (inside, length) = css_string(rest);
                found.push(reference(start + 1, inside, Kind::Address));
                at = start + length;
            } else {
                let end = rest.find(')').unwrap_or(rest.len());
                found.push(reference(start, rest[..end].trim_end(), Kind::Address));
                at = start + end;
            }
            importing = false;
        } else if rest.starts_with("@import") {
            importing = true;
            at += "@import".len();
        } else {
            importing &= next != ';';
            at += next.len_utf8();
        }
    }
    found
}

/// What a string that starts here holds, and how long it is with its quotes.
fn css_string(text: &str) -> (&str, usize) {
    let quote = &text[..1];
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if quote.starts_with(character) => return (&text[1..at], at + 1),
            _ => {}
        }
    }
    (&text[1..], text.len())
}

/// Strings of a JSON document that look like a path inside the site: `models/faces.png`, `./icons/icon.svg`.
pub fn paths_in_json(document: &mut Value, each: &mut impl FnMut(&mut String) -> Result<()>) -> Result<()> {
    match document {
        Value::String(text) if looks_like_path(text) => each(text),
        Value::Array(items) => items.iter_mut().try_for_each(|item| paths_in_json(item, each)),
        Value::Object(fields) => fields.values_mut().try_for_each(|field| paths_in_json(field, each)),
        _ => Ok(()),
    }
}

/// A folder, and a name with an extension that begins with a letter ("MIT/Apache-2.0" is no path).
fn looks_like_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let Some((folders, name)) = text.rsplit_once('/') else { return false };
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    !folders.is_empty()
        && !stem.is_empty()
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
}

/// Whether an address leads out of the site, or names no file.
pub fn elsewhere(address: &str) -> bool {
    let scheme = address.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    scheme || address.starts_with("//") || address.starts_with(['#', '?']) || address.is_empty()
}

/// The path that an address in `from` means, and what follows the path (`?query`, `#fragment`).
pub fn resolve<'a>(from: &str, address: &'a str) -> Result<(String, &'a str)> {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (path, rest) = address.split_at(end);
    if path.starts_with('/') {
        bail!(
            "{from} names {address}, from the server's root: the site may lie in a folder, so make it relative"
        );
    }
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if folders.pop().is_none() => bail!("{from} names {address}, which is outside the site"),
            ".." => {}
            part => folders.push(part),
        }
    }
    Ok((folders.join("/"), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(path: &str, text: &str) -> Vec<(String, Kind)> {
        let found = find(path, text.as_bytes()).unwrap();
        for reference in &found {
            assert_eq!(text[reference.place.clone()], reference.address, "the place is that of the address");
        }
        found.into_iter().map(|reference| (reference.address, reference.kind)).collect()
    }

    #[test]
    fn html_names_files_in_attributes_scripts_and_styles() {
        let text = r#"<!doctype html><html><head>
            <link rel=stylesheet href=css/a.css><link rel="icon" href='icons/i.svg'>
            <meta property="og:image" content="models/faces.png">
            <script type="module">import { start } from "./js/main.js"; start();</script>
            <script type="application/json">{"a": "js/no.js"}</script>
            <style>body { background: url("icons/b.png") }</style></head>
            <body><!-- <img src="old.png"> --><img alt="" src="c.png?x=1" srcset="d.png 1x, e.png 2x"><p title="f.png"></p></body></html>"#;
        let found = addresses("index.html", text);
        let only = |kind| {
            found.iter().filter(|(_, k)| *k == kind).map(|(address, _)| address.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(
            only(Kind::Address),
            ["css/a.css", "icons/i.svg", "icons/b.png", "c.png?x=1", "d.png", "e.png"]
        );
        assert_eq!(only(Kind::Module), ["./js/main.js"]);
        assert_eq!(only(Kind::Mention), ["models/faces.png"]);
    }

    #[test]
    fn a_base_or_an_import_map_is_refused() {
        for text in [
            "<base href='/x/'>",
            r#"<script type="importmap">{"imports": {"uplot": "./vendor/uplot.js"}}</script>"#,
        ] {
            assert!(find("index.html", text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn css_names_files_outside_comments_and_strings() {
        let text = r#"@import "base.css"; @import url( other.css ) screen;
            /* url(comment.png) */ a::after { content: "url(text.png)"; }
            @layer x { b { background: URL('it\'s.svg'), url(data:image/png;base64,AA==) } & c { color: red } }"#;
        let found: Vec<_> = addresses("css/a.css", text).into_iter().map(|(address, _)| address).collect();
        assert_eq!(found, ["base.css", "other.css", r"it\'s.svg", "data:image/png;base64,AA=="]);
    }

    #[test]
    fn json_names_files_where_a_string_is_a_path() {
        let mut document = serde_json::json!({
            "a": [{ "file": "models/faces-64.safetensors", "licence": "MIT/Apache-2.0", "name": "faces.zip" }],
            "origin": "https://example.org/a.png", "note": "either/or", "icon": "./i.svg"
        });
        let mut found = Vec::new();
        paths_in_json(&mut document, &mut |path| {
            found.push(path.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(found, ["models/faces-64.safetensors", "./i.svg"]);
    }

    #[test]
    fn addresses_resolve_as_in_a_browser() {
        assert_eq!(resolve("js/train/a.js", "../../pkg/index.js").unwrap(), ("pkg/index.js".into(), ""));
        assert_eq!(resolve("index.html", "./a.css?v=1#x").unwrap(), ("a.css".into(), "?v=1#x"));
        assert_eq!(resolve("index.html", "./").unwrap(), ("".into(), ""));
        assert!(resolve("js/a.js", "/pkg/index.js").is_err());
        assert!(resolve("js/a.js", "../../a.js").is_err());
        assert!(["https://a.b/c.js", "data:,x", "#train", "?seed=1", "//x/y"].into_iter().all(elsewhere));
        assert!(!elsewhere("js/a.js"));
    }
}
