//! Metrics that cannot be computed, and files of weights that are no Inception.

use super::{INPUT, USAGE, check, row};
use crate::inputs::{faces, zip};
use crate::pickles::Tree::{Global, Reduce};
use crate::pickles::{dict, encode, text};
use crate::scene::Scene;
use crate::trained::model;

const METRICS: &str =
    "metrics --fakes faces --data faces --extractor inception.safetensors --device cpu --cache c";
const IMPORT: &str = "import weights.pth --out inception.safetensors";

/// A file as `torch.save` writes it, of a dictionary.
fn torch(s: &Scene, entries: Vec<(&str, crate::pickles::Tree)>) {
    s.write("weights.pth", zip(&[("archive/data.pkl".into(), encode(&dict(entries), 2))]));
}

#[test]
fn metrics_that_cannot_be_computed() {
    check(&[
        row(
            "no extractor named",
            faces,
            "metrics --fakes faces --data faces",
            USAGE,
            "--extractor: is needed",
        ),
        row(
            "no such metric",
            faces,
            "metrics --fakes faces --data faces --metrics fid",
            USAGE,
            "no metric 'fid'",
        ),
        row(
            "nothing to do",
            faces,
            "metrics --fakes faces --data faces --metrics none",
            USAGE,
            "--metrics: none",
        ),
        row("nothing to measure", faces, "metrics --data faces", USAGE, "--network"),
        row("no such extractor", faces, METRICS, INPUT, "inception.safetensors: does not exist"),
        row(
            "a model for an extractor",
            |s| {
                faces(s);
                s.write("inception.safetensors", model());
            },
            METRICS,
            INPUT,
            "inception.safetensors: is no feature extractor, which is what `r3gan import` makes",
        ),
        row(
            "training without an extractor",
            faces,
            "train --data faces --out run --metrics fid1k --device cpu TINY",
            USAGE,
            "--extractor: is needed",
        ),
        row(
            "an extractor for nothing",
            faces,
            "train --data faces --out run --extractor e --device cpu TINY",
            USAGE,
            "--extractor: is for --metrics",
        ),
        row(
            "training by no such metric",
            faces,
            "train --data faces --out run --metrics fid1k,, --extractor e --device cpu TINY",
            USAGE,
            "there is no metric ''",
        ),
    ]);
}

#[test]
fn weights_that_are_no_inception() {
    check(&[
        row("a zip of pictures", |s| s.write("weights.pth", zip(&[])), IMPORT, INPUT, "weights.pth: is "),
        row(
            "half a zip",
            |s| {
                torch(s, vec![]);
                let whole = s.read("weights.pth");
                s.write("weights.pth", &whole[..whole.len() / 2]);
            },
            IMPORT,
            INPUT,
            "weights.pth: is a zip that cannot be read",
        ),
        row(
            "a zip without a pickle",
            |s| s.write("weights.pth", zip(&[("a/data.txt".into(), vec![])])),
            IMPORT,
            INPUT,
            "weights.pth: is a zip without data.pkl",
        ),
        row(
            "no weights",
            |s| torch(s, vec![]),
            IMPORT,
            INPUT,
            "weights.pth: holds weights of neither FID's Inception nor torchvision's VGG16",
        ),
        row(
            "a pickle that means harm",
            |s| {
                let call = Reduce(Box::new(Global("os", "system")), vec![text("touch pwned")]);
                torch(s, vec![("fc.weight", call)]);
            },
            IMPORT,
            INPUT,
            "it asks for Python's os.system, which none has (nothing was run)",
        ),
        row(
            "flags for snapshots",
            |s| torch(s, vec![]),
            "import weights.pth --out inception.safetensors --half",
            USAGE,
            "--half: is for snapshots",
        ),
    ]);
}
