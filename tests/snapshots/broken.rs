//! The reader against pickles written by hand: whole, broken, and made to harm.

use std::time::{Duration, Instant};

use crate::exercise::snapshot as exercise;
use crate::pickles::Tree::{self, Bool, Bytes, Dict, Global, Int, List, Reduce, Tuple};
use crate::pickles::{
    self, blob, dict, encode, kernel, network, parameter, seeds, snapshot, tensor, tensor_of, text,
};
use crate::reader::{Precision, Side, Snapshot};

/// What is wrong with a pickle, or with the averaged generator in it.
fn reason(bytes: &[u8]) -> String {
    let read =
        Snapshot::read(bytes).and_then(|snapshot| snapshot.module("G_ema", Side::Generator).map(|_| ()));
    read.expect_err("something is wrong").to_string()
}

/// The same for a generator after a change.
fn changed(change: impl FnOnce(&mut Tree)) -> String {
    let mut tree = pickles::small();
    change(tree.at("G_ema"));
    reason(&encode(&tree, 4))
}

#[test]
fn a_snapshot_is_read_in_every_protocol() {
    for protocol in 2..=5 {
        let bytes = encode(&snapshot(), protocol);
        let file = Snapshot::read(&bytes).unwrap();
        assert_eq!(file.images(), Ok(Some(12)));
        for (key, side, z_dim) in [
            ("G", Side::Generator, Some(3)),
            ("D", Side::Discriminator, None),
            ("G_ema", Side::Generator, Some(3)),
        ] {
            let module = file.module(key, side).unwrap().unwrap();
            assert_eq!((module.parameters.len(), module.buffers.len()), (13, 1), "{key}");
            assert_eq!(module.precision, [Precision::Float32, Precision::BFloat16]);
            assert_eq!(module.z_dim, z_dim);
            let (name, tensor) = &module.parameters[2];
            assert!(name.starts_with("Model.MainLayers.0.Layers."), "{name}");
            assert_eq!(tensor.values(), pickles::values(tensor.shape.iter().product()));
            assert!(
                file.module(key, if z_dim.is_none() { Side::Generator } else { Side::Discriminator })
                    .is_err()
            );
        }
        for key in ["G_opt_state", "D_opt_state"] {
            let adam = file.optimizer(key).unwrap().unwrap();
            assert_eq!((adam.steps, adam.second_moments.len(), adam.beta1), (3, 13, 0.0));
            assert_eq!(adam.second_moments[0].shape.len(), if key == "G_opt_state" { 3 } else { 4 });
        }
        assert_eq!(file.module("augment_pipe", Side::Generator), Ok(None), "None counts as missing");
    }
}

#[test]
fn the_names_of_the_published_weights_are_known() {
    let mut tree = pickles::small();
    let mut rename = |path: &[&str], module, name| {
        let whole = tree.at("G_ema");
        let object = path.iter().fold(whole, |object, path| object.module(path));
        if let Tree::Object(class, _) = object {
            **class = Global(module, name);
        }
    };
    rename(&[], "training.networks_baseline", "Generator");
    rename(&["Model"], "BaselineGAN.Networks", "Generator");
    rename(&["Model.MainLayers.0"], "BaselineGAN.Networks", "GeneratorStage");
    rename(
        &["Model.MainLayers.1.Layers.0.Resampler"],
        "BaselineGAN.Resamplers",
        "InterpolativeUpsamplerCUDA",
    );
    rename(
        &["Model.MainLayers.0.Layers.1.NonLinearity1"],
        "BaselineGAN.FusedOperators",
        "BiasedActivationCUDA",
    );
    let bytes = encode(&tree, 4);
    assert!(Snapshot::read(&bytes).unwrap().module("G_ema", Side::Generator).unwrap().is_some());
}

#[test]
fn nothing_else_is_imported() {
    for (module, name) in [
        ("os", "system"),
        ("builtins", "eval"),
        ("torch", "HalfStorage"),
        ("torch_utils.persistence", "_reconstruct_persistent_obj"),
        ("R3GAN.Networks", "Generator.__init__"),
        ("evil\u{1b}[2J", "name"),
    ] {
        for protocol in [2, 4] {
            let call = Reduce(Box::new(Global(module, name)), vec![text("touch harm")]);
            let said = reason(&encode(&dict(vec![("G_ema", call)]), protocol));
            assert!(said.contains("it asks for Python's ") && said.contains("nothing was run"), "{said}");
            assert!(!said.contains('\u{1b}'), "control characters are shown as such");
        }
    }
    let long = format!("c{}\nname\n.", "x".repeat(200));
    assert!(reason(&[b"\x80\x02", long.as_bytes()].concat()).len() < 300, "names are shortened");
    let endless = format!("c{}", "x".repeat(2000));
    assert!(reason(&[b"\x80\x02", endless.as_bytes()].concat()).contains("does not end"));
}

/// Lengths that no file has; what is taken is only ever what is there.
#[test]
fn lengths_that_lie_take_nothing() {
    let most = u64::MAX.to_le_bytes();
    let huge = (1u64 << 60).to_le_bytes();
    for (instruction, length) in [
        (0x8eu8, &huge[..]),
        (0x8e, &most),
        (0x8d, &huge),
        (0x8d, &most),
        (0x95, &most),
        (b'B', &most[..4]),
        (b'X', &most[..4]),
        (b'C', &most[..1]),
        (0x8c, &most[..1]),
        (0x8a, &most[..1]),
    ] {
        let mut bytes = vec![0x80, 4, instruction];
        bytes.extend(length);
        bytes.resize(50, b'N');
        let said = reason(&bytes);
        assert!(said.contains("is cut short or damaged") && said.contains("should follow"), "{said}");
    }
}

#[test]
fn bombs_are_harmless() {
    let begun = Instant::now();
    // Twenty tuples, each of ten times the one before: 10^20 leaves.
    let mut laughs = b"\x80\x04N\x940".to_vec();
    for level in 0..20u8 {
        laughs.push(b'(');
        laughs.extend([b'h', level].repeat(10));
        laughs.extend(b"t\x940");
    }
    laughs.extend(b"}\x8c\x05G_emah\x14s.");
    assert!(reason(&laughs).contains("something else where its Generator should be"));

    // Modules that have the one before ten times, and one that lies in itself.
    let mut shared = pickles::object(Global("R3GAN.Networks", "Convolution"), vec![], dict(vec![]), vec![]);
    for _ in 0..4 {
        shared = pickles::object(
            Global("R3GAN.Networks", "Convolution"),
            vec![],
            dict(vec![]),
            (0..10).map(|n| (text(&n.to_string()), shared.clone())).collect(),
        );
    }
    let said = changed(|g| *g.at("_modules") = Dict(vec![(text("Model"), shared)]));
    assert!(said.contains("too many modules"), "{said}");

    let deep = [b"\x80\x04".to_vec(), vec![b'('; 100_000]].concat();
    assert!(reason(&deep).contains("nested more than 256 deep"));
    let chain = [b"\x80\x04)".to_vec(), vec![0x85; 1_000_000], b".".to_vec()].concat();
    assert!(reason(&chain).contains("no dictionary of networks"), "a million tuples in each other");
    let endless = [b"\x80\x04".to_vec(), b"N0".repeat(2_000_000)].concat();
    assert!(reason(&endless).contains("steps to read"));
    let in_itself = b"\x80\x04}\x94\x8c\x05G_emah\0s.";
    assert!(reason(in_itself).contains("something else"));
    assert!(begun.elapsed() < Duration::from_secs(20), "none of this takes time");
}

#[test]
fn storages_and_tensors_that_do_not_fit() {
    let bias = |tensor: Tree| {
        changed(|g| {
            let layer = g.module("Model.MainLayers.0.Layers.1.NonLinearity1");
            layer.at("_parameters").set("Bias", parameter(tensor));
        })
    };
    let four = || blob("FloatStorage", &[0.5; 4]);
    let edited = |from: &[u8], to: &[u8]| {
        let mut bytes = four();
        let at = bytes.windows(from.len()).position(|part| part == from).expect("it is there");
        bytes.splice(at..at + from.len(), to.iter().copied());
        tensor_of(bytes, 0, &[4], &[1])
    };
    let longer = [four(), vec![0]].concat();
    let mut lying = four();
    let count = lying.len() - 4 * 4 - 8;
    lying[count..count + 8].copy_from_slice(&(1u64 << 62).to_le_bytes());
    for (tensor, says) in [
        (tensor_of(blob("HalfStorage", &[0.5; 4]), 0, &[4], &[1]), "torch.HalfStorage"),
        (tensor_of(longer, 0, &[4], &[1]), "has a storage of 4 weights"),
        (tensor_of(four()[..100].to_vec(), 0, &[4], &[1]), "cut short"),
        (tensor_of(lying, 0, &[4], &[1]), "has a storage of 4 weights, or 4611686018427387904"),
        (tensor_of(Vec::new(), 0, &[4], &[1]), "cut short"),
        (edited(b"little_endianq\x01\x88", b"little_endianq\x01\x89"), "little-endian machine"),
        (edited(b"M\xe9\x03.", b"M\xe8\x03."), "format 1001"),
        (edited(b"\x50\x19.", b"\x50\x20."), "do not begin as torch"),
        (edited(b"cpuq", b"\xff\xfe\xfdq"), "not UTF-8"),
        (tensor_of(four(), -1, &[4], &[1]), "whole, positive numbers"),
        (tensor_of(four(), 0, &[-4], &[1]), "whole, positive numbers"),
        (tensor_of(four(), 0, &[4], &[-1]), "whole, positive numbers"),
        (tensor_of(four(), 1, &[4], &[1]), "larger than its storage"),
        (tensor_of(four(), i64::MAX, &[4], &[1]), "larger than its storage"),
        (tensor_of(four(), 0, &[2, 2], &[1, 2]), "in another order"),
        (tensor_of(four(), 0, &[4, 4], &[0, 1]), "in another order"),
        (tensor_of(four(), 0, &[i64::MAX, i64::MAX], &[1, 1]), "no machine holds"),
        (tensor_of(four(), 0, &[4], &[1, 1]), "of 1 axes with 2 strides"),
        (tensor_of(four(), 0, &[1; 9], &[1; 9]), "of 9 axes"),
        (Int(5), "should be a tensor"),
    ] {
        let said = bias(tensor.clone());
        assert!(said.contains(says), "{said:?} does not say {says:?}");
    }
    // A part of a larger storage, and axes of one entry with any stride, are what they are.
    let part = tensor_of(blob("FloatStorage", &[9.0, 1.0, 2.0, 3.0, 4.0, 9.0]), 1, &[4, 1], &[1, 77]);
    let mut tree = pickles::small();
    let layer = tree.at("G_ema").module("Model.MainLayers.0.Layers.1.NonLinearity1");
    layer.at("_parameters").set("Bias", parameter(part));
    let bytes = encode(&tree, 4);
    let module = Snapshot::read(&bytes).unwrap().module("G_ema", Side::Generator).unwrap().unwrap();
    let (_, found) = module.parameters.iter().find(|(name, _)| name.ends_with("NonLinearity1.Bias")).unwrap();
    assert_eq!((found.values(), &found.shape[..]), (vec![1.0, 2.0, 3.0, 4.0], &[4, 1][..]));
}

#[test]
fn modules_and_optimizers_that_are_none() {
    for (said, says) in [
        (changed(|g| *g = Int(1)), "something else where its Generator should be"),
        (changed(|g| *g = network("Discriminator")), "something else where its Generator should be"),
        (changed(|g| *g.at("_modules") = List(vec![])), "without _modules"),
        (changed(|g| *g.at("_parameters") = Bool(true)), "without _parameters"),
        (changed(|g| *g.module("Model") = Bytes(vec![1])), "where a module should be"),
        (changed(|g| g.module("Model.MainLayers.0").set("DataType", Int(32))), "unknown number format"),
        (changed(|g| *g.at("_modules") = Dict(vec![(Int(1), kernel())])), "no usable names"),
        (
            changed(|g| {
                let twice = |n| (text("B"), parameter(tensor(&[1], &[n])));
                *g.at("_parameters") = Dict(vec![twice(1.0), twice(2.0)]);
            }),
            "two tensors called B",
        ),
    ] {
        assert!(said.contains(says), "{said:?} does not say {says:?}");
    }
    let adam = |change: fn(&mut Tree)| {
        let mut tree = snapshot();
        change(tree.at("G_opt_state"));
        let bytes = encode(&tree, 4);
        Snapshot::read(&bytes).unwrap().optimizer("G_opt_state").unwrap_err().to_string()
    };
    fn entry(tree: &mut Tree, index: usize) -> &mut (Tree, Tree) {
        match tree.at("state") {
            Dict(entries) => &mut entries[index],
            _ => unreachable!("the state is a dictionary"),
        }
    }
    assert!(adam(|o| *o = Tuple(vec![])).contains("not torch's Adam"));
    assert!(adam(|o| *o.at("param_groups") = List(vec![])).contains("not torch's Adam"));
    assert!(adam(|o| entry(o, 1).0 = Int(0)).contains("not torch's Adam"), "a number that is there twice");
    assert!(adam(|o| entry(o, 1).0 = Int(99)).contains("not torch's Adam"));
    assert!(adam(|o| entry(o, 2).1.set("step", tensor(&[], &[4.0]))).contains("different numbers of steps"));
    assert!(adam(|o| entry(o, 0).1.set("step", tensor(&[], &[0.5]))).contains("took 0.5 steps"));
    assert!(adam(|o| entry(o, 0).1.set("step", tensor(&[], &[f32::NAN]))).contains("steps"));
    assert!(adam(|o| entry(o, 0).1.set("step", tensor(&[2], &[1.0; 2]))).contains("no number"));
}

/// The seeds of the fuzzer, cut at every length and with every byte changed: an error, or all that must hold.
#[test]
fn damage_at_every_byte() {
    for (name, bytes) in seeds() {
        assert!(exercise(&bytes).is_some(), "{name} is whole");
        for length in 0..bytes.len() {
            assert!(exercise(&bytes[..length]).is_none(), "{name} cut at {length}");
        }
        for place in 0..bytes.len() {
            for change in [1u8, 2, 4, 8, 16, 32, 64, 128, 255] {
                let mut damaged = bytes.clone();
                damaged[place] ^= change;
                exercise(&damaged);
            }
        }
    }
    let whole = encode(&snapshot(), 4);
    assert!(exercise(&whole).is_some());
    for place in (0..whole.len()).step_by(7) {
        assert!(exercise(&whole[..place]).is_none(), "cut at {place}");
    }
}
