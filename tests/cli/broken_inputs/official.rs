//! Official snapshots that are damaged, are something else, or mean harm. Nothing in them is run, and nothing is
//! written.

use super::{INPUT, OUTPUT, Row, USAGE, check, row};
use crate::inputs::png;
use crate::pickles::Tree::{Bool, Bytes, Dict, Float, Global, Int, List, Reduce, Tuple};
use crate::pickles::{
    Tree, blob, dict, encode, kernel, network, parameter, small, snapshot, tensor, tensor_of, text,
};
use crate::scene::Scene;
use crate::trained::model;

const IMPORT: &str = "import network.pkl --out model.safetensors";
const FULL: &str = "import network.pkl --out checkpoint.safetensors --full --preset demo-16";
const SAMPLE: &str = "sample --network network.pkl --out pictures --device cpu";

fn with(s: &Scene, bytes: impl AsRef<[u8]>) {
    s.write("network.pkl", bytes);
}

/// A generator after a change.
fn generator(s: &Scene, change: impl FnOnce(&mut Tree)) {
    let mut tree = small();
    change(tree.at("G_ema"));
    with(s, encode(&tree, 4));
}

/// A whole snapshot after a change.
fn whole(s: &Scene, change: impl FnOnce(&mut Tree)) {
    let mut tree = snapshot();
    change(&mut tree);
    with(s, encode(&tree, 4));
}

fn cut(s: &Scene, part: f64) {
    let bytes = encode(&snapshot(), 4);
    with(s, &bytes[..(bytes.len() as f64 * part) as usize]);
}

/// The weight of the layer that makes colours, which has the shape [3, 2, 1, 1].
fn colours(s: &Scene, tensor: Tree) {
    generator(s, |g| {
        g.module("Model.AggregationLayer.Layer").at("_parameters").set("weight", parameter(tensor));
    });
}

fn six() -> Vec<u8> {
    blob("FloatStorage", &[0.5; 6])
}

/// A pickle that asks Python to run something.
fn harm(module: &'static str, name: &'static str, protocol: u8) -> Vec<u8> {
    let call = Reduce(Box::new(Global(module, name)), vec![text("touch harmed")]);
    encode(&dict(vec![("G_ema", call)]), protocol)
}

fn import(name: &'static str, prepare: fn(&Scene), says: &'static str) -> Row {
    row(name, prepare, IMPORT, INPUT, says)
}

#[test]
fn files_of_another_kind() {
    let none = "network.pkl: is not an official snapshot: it is ";
    check(&[
        import("missing", |_| {}, "network.pkl: does not exist"),
        import("empty", |s| with(s, []), "network.pkl: is not an official snapshot: it is empty"),
        import("a picture", |s| with(s, png(8)), none),
        import("a web page", |s| with(s, "<!DOCTYPE html><html>Not found</html>"), "it is a web page"),
        import(
            "half of torch's zip",
            |s| with(s, b"PK\x03\x04archive/data.pkl"),
            "is a zip that cannot be read",
        ),
        import("a model of ours", |s| with(s, model()), "network.pkl: is not an official snapshot"),
        import("text", |s| with(s, "hello"), "network.pkl: is not an official snapshot"),
        row("a folder", |s| s.write("network.pkl/x", ""), IMPORT, INPUT, "network.pkl: is a directory"),
        import(
            "another dictionary",
            |s| with(s, encode(&dict(vec![("state", Int(1))]), 4)),
            "holds no G_ema",
        ),
        import("a list", |s| with(s, encode(&List(vec![]), 4)), "holds no dictionary of networks"),
        import("an old protocol", |s| with(s, b"\x80\x02\x80\x01}."), "protocol 1 of pickle"),
        import(
            "StyleGAN2",
            |s| with(s, harm("torch_utils.persistence", "_reconstruct_persistent_obj", 4)),
            "it asks for Python's torch_utils.persistence._reconstruct_persistent_obj",
        ),
    ]);
}

#[test]
fn damage_and_harm() {
    let sample = |name, prepare: fn(&Scene), says| row(name, prepare, SAMPLE, INPUT, says);
    check(&[
        import("os.system", |s| with(s, harm("os", "system", 4)), "it asks for Python's os.system"),
        import("os.system of old", |s| with(s, harm("os", "system", 2)), "it asks for Python's os.system"),
        sample("eval", |s| with(s, harm("builtins", "eval", 4)), "it asks for Python's builtins.eval"),
        row(
            "exec to look at",
            |s| with(s, harm("builtins", "exec", 4)),
            "info network.pkl",
            INPUT,
            "it asks for Python's builtins.exec",
        ),
        import("two bytes", |s| with(s, b"\x80\x04"), "is cut short"),
        import("cut at a hundredth", |s| cut(s, 0.01), "is cut short"),
        import("cut at a third", |s| cut(s, 0.33), "is cut short"),
        sample("cut in the middle", |s| cut(s, 0.5), "is cut short"),
        import("cut near its end", |s| cut(s, 0.9), "is cut short"),
        import("without its last byte", |s| cut(s, 0.99999), "is cut short"),
        import(
            "with more behind it",
            |s| with(s, [encode(&small(), 4), b"more".to_vec()].concat()),
            "4 bytes follow its end",
        ),
        import("an instruction flipped", |s| with(s, b"\x80\x04\xfd."), "is 0xfd, which is no instruction"),
        import(
            "a huge length",
            |s| with(s, [b"\x80\x04\x8e".as_slice(), &[0xff; 8], b"x."].concat()),
            "cut short",
        ),
        import("nested deep", |s| with(s, [b"\x80\x04".to_vec(), vec![b'('; 9999]].concat()), "256 deep"),
        import(
            "endless",
            |s| with(s, [b"\x80\x04".to_vec(), b"N0".repeat(1 << 20)].concat()),
            "steps to read",
        ),
        import(
            "a place without a value",
            |s| with(s, b"\x80\x04j\xff\xff\xff\xff."),
            "recalls value 4294967295",
        ),
        import("nothing to take", |s| with(s, b"\x80\x04s."), "there should be a value"),
        import(
            "modules in themselves",
            |s| {
                let class: &[u8] = b"\x80\x04}\x8c\x05G_emac";
                let state = b"training.networks\nGenerator\n)\x81\x94}(\x8c\x0b_parameters}\x8c\x08_buffers}";
                with(s, [class, state, b"\x8c\x08_modules}\x8c\x01xh\0subs."].concat());
            },
            "too many modules",
        ),
    ]);
}

#[test]
fn weights_that_do_not_fit() {
    check(&[
        import("NaN", |s| colours(s, tensor(&[3, 2, 1, 1], &[f32::NAN; 6])), "not finite"),
        import("infinity", |s| colours(s, tensor(&[3, 2, 1, 1], &[f32::INFINITY; 6])), "not finite"),
        import("another shape", |s| colours(s, tensor(&[2, 3, 1, 1], &[0.5; 6])), "with shape [2, 3, 1, 1]"),
        import(
            "f16",
            |s| colours(s, tensor_of(blob("HalfStorage", &[0.5; 6]), 0, &[3, 2], &[2, 1])),
            "HalfStorage",
        ),
        import(
            "turned axes",
            |s| colours(s, tensor_of(six(), 0, &[3, 2, 1, 1], &[1, 3, 1, 1])),
            "values lie in another order",
        ),
        import(
            "a negative size",
            |s| colours(s, tensor_of(six(), 0, &[-3, 2, 1, 1], &[2, 1, 1, 1])),
            "whole, positive",
        ),
        import(
            "beyond its storage",
            |s| colours(s, tensor_of(six(), 1, &[3, 2, 1, 1], &[2, 1, 1, 1])),
            "larger than its storage",
        ),
        import(
            "a storage cut short",
            |s| colours(s, tensor_of(six()[..150].to_vec(), 0, &[6], &[1])),
            "cut short",
        ),
        import("no tensor", |s| colours(s, Bytes(vec![0; 24])), "should be a tensor"),
        import(
            "a missing weight",
            |s| generator(s, |g| *g.module("Model.AggregationLayer.Layer").at("_parameters") = dict(vec![])),
            "lacks G_ema's Model.AggregationLayer.Layer.weight",
        ),
        import(
            "a weight over",
            |s| generator(s, |g| g.at("_parameters").set("more", parameter(tensor(&[1], &[1.0])))),
            "which networks of R3GAN have not",
        ),
        import(
            "another filter",
            |s| {
                generator(s, |g| {
                    let resampler = g.module("Model.MainLayers.1.Layers.0.Resampler");
                    resampler.at("_buffers").set("Kernel", tensor(&[4, 4], &[0.0625; 16]));
                })
            },
            "another filter",
        ),
        import(
            "a filter over",
            |s| generator(s, |g| g.at("_buffers").set("Kernel", kernel())),
            "has other resampling in G_ema",
        ),
        import(
            "another resolution",
            |s| generator(s, |g| g.set("img_resolution", Int(64))),
            "img_resolution 64",
        ),
        import("another latent", |s| generator(s, |g| g.set("z_dim", Int(512))), "says z_dim 512"),
        import(
            "a critic to sample from",
            |s| generator(s, |g| *g = network("Discriminator")),
            "its Generator",
        ),
        import("no modules", |s| generator(s, |g| *g.at("_modules") = Dict(vec![])), "without stages"),
        import("True images", |s| whole(s, |w| w.set("cur_nimg", Bool(true))), "has a cur_nimg that is not"),
        import("minus one image", |s| whole(s, |w| w.set("cur_nimg", Int(-1))), "has a cur_nimg that is not"),
    ]);
}

#[test]
fn runs_that_cannot_go_on() {
    let full = |name, prepare: fn(&Scene), says| row(name, prepare, FULL, INPUT, says);
    fn healthy(s: &Scene) {
        whole(s, |_| {});
    }
    fn adam(s: &Scene, change: impl FnOnce(&mut Tree)) {
        whole(s, |w| change(w.at("D_opt_state")));
    }
    fn group(s: &Scene, key: &'static str, value: Tree) {
        adam(s, |o| match o.at("param_groups") {
            List(groups) => groups[0].set(key, value),
            _ => unreachable!("groups are a list"),
        });
    }
    check(&[
        full("no critic", |s| whole(s, |w| w.set("D", Tree::None)), "has no D, so no run can go on from it"),
        full("no Adam", |s| whole(s, |w| w.set("G_opt_state", Tree::None)), "has no G_opt_state, so no run"),
        full("no count", |s| whole(s, |w| w.set("cur_nimg", Tree::None)), "has no cur_nimg, so no run"),
        full("only an average", |s| with(s, encode(&small(), 4)), "has no G, so no run can go on from it"),
        full("absurd images", |s| whole(s, |w| w.set("cur_nimg", Int(i64::MAX))), "which no run has"),
        full("more steps than images", |s| whole(s, |w| w.set("cur_nimg", Int(2))), "2 images and 3 steps"),
        full(
            "momentum",
            |s| group(s, "betas", Tuple(vec![Float(0.9), Float(0.99)])),
            "another Adam (beta1 0.9",
        ),
        full("decay", |s| group(s, "weight_decay", Float(0.1)), "weight_decay 0.1"),
        full(
            "an unusual order",
            |s| group(s, "params", List(vec![Int(1), Int(0)])),
            "not numbered from 0 on",
        ),
        full(
            "moments of another shape",
            |s| {
                adam(s, |o| match o.at("state") {
                    Dict(entries) => entries[0].1.set("exp_avg_sq", tensor(&[1], &[1.0])),
                    _ => unreachable!("the state is a dictionary"),
                })
            },
            "has D_opt_state's Model.ExtractionLayer.Layer.weight with shape [1]",
        ),
        full("an optimizer of another kind", |s| adam(s, |o| *o = dict(vec![])), "not torch's Adam"),
        row(
            "no preset",
            healthy,
            "import network.pkl --out c.safetensors --full",
            USAGE,
            "--preset: is needed",
        ),
        row(
            "an unknown preset",
            healthy,
            "import network.pkl --out c --full --preset x",
            USAGE,
            "--preset: there is",
        ),
        row("half a run", healthy, "import network.pkl --out c --full --half", USAGE, "--half"),
        row("a batch for a model", healthy, "import network.pkl --out c --batch 4", USAGE, "--full"),
        row("no batch", healthy, "import network.pkl --out c --full --batch 0", USAGE, "--batch"),
        row("no place", healthy, "import network.pkl", USAGE, "--out"),
        row("itself", healthy, "import network.pkl --out network.pkl", USAGE, "--out: is "),
        row(
            "a folder in the way",
            |s| {
                healthy(s);
                s.write("made/x", "");
            },
            "import network.pkl --out made",
            OUTPUT,
            "made: is a directory",
        ),
        row(
            "a locked folder",
            |s| {
                healthy(s);
                s.locked_folder("locked");
            },
            "import network.pkl --out locked/m.safetensors",
            OUTPUT,
            "locked/m.safetensors: cannot be written",
        ),
        row(
            "a full disk",
            |s| {
                healthy(s);
                s.small_disk("disk", 4);
            },
            "import network.pkl --out disk/c.safetensors --full --preset demo-16",
            OUTPUT,
            "disk/c.safetensors: ",
        ),
        row(
            "straight into training",
            |s| {
                healthy(s);
                crate::inputs::faces(s);
            },
            "train --data faces --out run --resume network.pkl --device cpu",
            INPUT,
            "network.pkl: is an official snapshot; make a checkpoint of it",
        ),
        row(
            "labels for networks without",
            |s| {
                healthy(s);
                crate::inputs::labelled_zip(s);
                s.r3gan("import network.pkl --out c.safetensors --full --preset demo-16 --batch 4").done();
            },
            "train --data classes.zip --cond --out run --resume c.safetensors --device cpu",
            INPUT,
            "c.safetensors: has networks for 0 classes, but the data set gives 3",
        ),
    ]);
}
