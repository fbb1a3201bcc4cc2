//! References in JavaScript, read from its syntax tree: comments and regular expressions hide nothing there.

use super::references::{Kind, Reference};
use anyhow::{Context, Result, bail};
use tree_sitter::{Language, Node, Parser, Tree};

/// Every string of a script that is, or may be, the address of a file.
pub fn references(text: &str) -> Result<Vec<Reference>> {
    let tree = parse(&tree_sitter_javascript::LANGUAGE.into(), text)?;
    let mut found = Vec::new();
    visit(tree.root_node(), &mut |node| {
        if node.kind() == "string" || node.kind() == "template_string" {
            let kind = kind(node, text);
            let line = node.start_position().row + 1;
            let inside = node.start_byte() + 1..node.end_byte() - 1;
            let written = &text[inside.clone()];
            // A path is written plainly, or it cannot be told from here.
            let computed = children(node)
                .any(|part| part.kind() == "escape_sequence" || part.kind() == "template_substitution");
            match kind {
                Kind::Mention if computed => {}
                _ if computed => bail!("line {line} computes the address {written}: write it out"),
                kind => found.push(Reference { place: inside, address: written.to_owned(), kind }),
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// What a string is, by where it stands.
fn kind(string: Node, text: &str) -> Kind {
    let Some(parent) = string.parent() else { return Kind::Mention };
    if ["import_statement", "export_statement"].contains(&parent.kind()) {
        return Kind::Module;
    }
    let first = parent.kind() == "arguments" && parent.named_child(0) == Some(string);
    let Some(call) = parent.parent().filter(|_| first) else { return Kind::Mention };
    let callee = call.child_by_field_name("function").or(call.child_by_field_name("constructor"));
    let callee = callee.map_or("", |callee| &text[callee.byte_range()]);
    let base = parent.named_child(1).map_or("", |base| &text[base.byte_range()]);
    match (call.kind(), callee) {
        ("call_expression", "import" | "import.meta.resolve") => Kind::Module,
        ("new_expression", "URL") if base == "import.meta.url" => Kind::Address,
        ("new_expression", "URL") if base == "document.baseURI" => Kind::Page,
        _ => Kind::Mention,
    }
}

/// The syntax tree of a text that has no syntax error.
pub fn parse(language: &Language, text: &str) -> Result<Tree> {
    let mut parser = Parser::new();
    parser.set_language(language)?;
    let tree = parser.parse(text, None).context("the parser gave up")?;
    if tree.root_node().has_error() {
        let mut line = None;
        visit(tree.root_node(), &mut |node| {
            if node.is_error() || node.is_missing() {
                line.get_or_insert(node.start_position().row + 1);
            }
            Ok(())
        })?;
        bail!("there is a syntax error in line {}", line.unwrap_or(1));
    }
    Ok(tree)
}

/// Hands every node to `each`, parents first. Recursion is as deep as the nesting of the text.
pub fn visit(node: Node, each: &mut impl FnMut(Node) -> Result<()>) -> Result<()> {
    each(node)?;
    children(node).try_for_each(|child| visit(child, each))
}

pub fn children(node: Node) -> impl Iterator<Item = Node> {
    (0..node.child_count()).filter_map(move |at| node.child(at as _))
}

pub fn child<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    children(node).find(|child| child.kind() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> Vec<String> {
        let found = references(text).unwrap().into_iter();
        found.filter(|reference| reference.kind == kind).map(|reference| reference.address).collect()
    }

    const SCRIPT: &str = r#"
        import a, { b } from "./a.js";
        import './side.js';
        export * from "../c.js";
        // import "./comment.js";
        /** @type {import("../pkg/index.js").Sampler} */
        const pattern = /["'\/]/, half = a / b / 2;
        const lazy = () => import("./lazy.js");
        const wasm = new URL("wasm/x.wasm", import.meta.url);
        const worker = new Worker(new URL('./worker.js', import.meta.url), { type: "module" });
        const page = new URL("models/x.png", document.baseURI);
        const own = new URL(wasm.name, import.meta.url);
        fetch(`catalog.json`);
        console.log(`${a} of "b.js"`);
    "#;

    #[test]
    fn imports_and_urls_are_told_from_other_strings() {
        assert_eq!(of(Kind::Module, SCRIPT), ["./a.js", "./side.js", "../c.js", "./lazy.js"]);
        assert_eq!(of(Kind::Address, SCRIPT), ["wasm/x.wasm", "./worker.js"]);
        assert_eq!(of(Kind::Page, SCRIPT), ["models/x.png"]);
        assert_eq!(of(Kind::Mention, SCRIPT), ["module", "catalog.json"]);
    }

    #[test]
    fn a_computed_import_and_a_syntax_error_are_refused_by_line() {
        let error = |text: &str| references(text).unwrap_err().to_string();
        assert!(error("\nimport(`./${name}.js`)").contains("line 2"));
        assert!(error("let a = 1;\nlet b = ;").contains("line 2"));
    }
}
