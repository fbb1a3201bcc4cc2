//! Flags, settings and devices that cannot be used.

use super::{DEVICE, INPUT, Row, USAGE, check, row};
use crate::inputs::{faces, labelled_zip};
use crate::scene::Scene;

fn nothing(_: &Scene) {}

/// A row of `train` on good pictures.
fn train(name: &'static str, line: &'static str, says: &'static str) -> Row {
    row(name, faces, line, USAGE, says)
}

#[test]
fn flags_of_train() {
    check(&[
        train(
            "unknown preset",
            "train --data faces --preset demo-17 --out run",
            "--preset: there is no preset 'demo-17'",
        ),
        train("no preset", "train --data faces --out run --device cpu", "--preset: is needed"),
        train("no data", "train --preset demo-16 --out run", "--data"),
        train("unknown flag", "train --data faces --out run --epochs 3", "--epochs"),
        train("negative batch", "train --data faces --out run TINY --device cpu --batch -5", "--batch"),
        train("no batch", "train --data faces --out run TINY --device cpu --batch 0", "--batch"),
        train("huge batch", "train --data faces --out run TINY --device cpu --batch 99999999999", "--batch"),
        train(
            "batch that is no number",
            "train --data faces --out run TINY --device cpu --batch many",
            "--batch",
        ),
        train(
            "micro batch that does not divide",
            "train --data faces --out run TINY --device cpu --micro-batch 7",
            "micro_batch: 7 does not divide the batch of 50",
        ),
        train("negative length", "train --data faces --out run TINY --device cpu --kimg -1", "--kimg"),
        train("no length", "train --data faces --out run TINY --device cpu --kimg 0", "--kimg"),
        train("an empty grid", "train --data faces --out run TINY --device cpu --grid 0x4", "--grid"),
        train(
            "a grid of one number",
            "train --data faces --out run TINY --device cpu --grid 4",
            "such as 16x8",
        ),
        train("negative seed", "train --data faces --out run TINY --device cpu --seed -1", "--seed"),
        train(
            "seed beyond 32 bits",
            "train --data faces --out run TINY --device cpu --seed 4294967296",
            "--seed",
        ),
        train(
            "unknown precision",
            "train --data faces --out run TINY --device cpu --precision f8",
            "[possible values: auto, f32, bf16, f16]",
        ),
        train(
            "a precision that gradients vanish in",
            "train --data faces --out run TINY --device cpu --precision f16",
            "precision: f16 is for sampling alone",
        ),
        train(
            "a precision that no stage has",
            "train --data ring8 --preset points --out run --device cpu --precision bf16",
            "precision: no stage of this network computes in bf16; choose f32",
        ),
        train("no ticks", "train --data faces --out run TINY --device cpu --snap 0", "--snap"),
        row("unknown command", nothing, "paint", USAGE, "paint"),
    ]);
}

#[test]
fn keys_of_the_configuration() {
    check(&[
        train(
            "unknown key",
            "train --data faces --out run TINY --device cpu --set gama.base=1",
            "--set gama.base=1: there is no group 'gama'",
        ),
        train(
            "unknown inner key",
            "train --data faces --out run TINY --device cpu --set gamma.bas=1",
            "--set gamma.bas=1: there is no key 'bas'",
        ),
        train(
            "no =",
            "train --data faces --out run TINY --device cpu --set gamma.base",
            "--set: 'gamma.base' is not key=value",
        ),
        train("wrong type", "train --data faces --out run TINY --device cpu --set gamma.base=large", "--set"),
        train(
            "a number for a list",
            "train --data faces --out run TINY --device cpu --set network.architecture.widths=16",
            "--set",
        ),
        train("a part for a whole", "train --data faces --out run TINY --device cpu --set gamma=1", "--set"),
        train(
            "NaN",
            "train --data faces --out run TINY --device cpu --set gamma.base=nan",
            "gamma: NaN is out of range",
        ),
        train(
            "infinity",
            "train --data faces --out run TINY --device cpu --set learning_rate.base=inf",
            "learning_rate: inf is out",
        ),
        train(
            "negative gamma",
            "train --data faces --out run TINY --device cpu --set gamma.end=-1",
            "gamma: -1 is out of range",
        ),
        train(
            "beta2 of one",
            "train --data faces --out run TINY --device cpu --set beta2.end=1",
            "beta2: 1 is out of range",
        ),
        train(
            "NaN for the length of the schedules",
            "train --data faces --out run TINY --device cpu --set decay_images=nan",
            "decay_images: ",
        ),
        train(
            "a gamma that is no number",
            "train --data faces --out run TINY --device cpu --gamma much",
            "it is neither `auto` nor a number",
        ),
        train(
            "a negative gamma by flag",
            "train --data faces --out run TINY --device cpu --gamma -1",
            "gamma: -1 is out of range",
        ),
        train(
            "gamma by resolution for points",
            "train --data ring8 --preset points --out run --device cpu --gamma auto",
            "--gamma: auto goes by the resolution",
        ),
        train(
            "more than always",
            "train --data faces --out run TINY --device cpu --augment 1.5",
            "augmentation: 1.5 is out of range",
        ),
        train(
            "an augmentation that is no number",
            "train --data faces --out run TINY --device cpu --augment nan",
            "augmentation: NaN is out of range",
        ),
        train(
            "negative batch by key",
            "train --data faces --out run TINY --device cpu --set batch=-2",
            "--set",
        ),
        train(
            "no channels",
            "train --data faces --out run TINY --device cpu --set network.architecture.widths=[0,0]",
            "network: a width",
        ),
        train(
            "lists of two lengths",
            "train --data faces --out run TINY --device cpu --set network.architecture.blocks=[1]",
            "network: widths, cardinality",
        ),
        train(
            "groups that do not divide",
            "train --data faces --out run TINY --device cpu --set network.architecture.cardinality=[3,3]",
            "network: 16 inner channels do not divide into 3",
        ),
        train(
            "unknown objective",
            "train --data faces --out run TINY --device cpu --set objective=magic",
            "--set",
        ),
        train(
            "classes without labels",
            "train --data faces --out run TINY --device cpu --set network.classes=3",
            "classes",
        ),
        row(
            "other classes than the labels",
            labelled_zip,
            "train --data classes.zip --cond --out run TINY --device cpu --set network.classes=4",
            USAGE,
            "classes",
        ),
        row(
            "not TOML",
            |s| {
                faces(s);
                s.write("my.toml", "gamma = = 3");
            },
            "train --data faces --out run TINY --device cpu --config my.toml",
            INPUT,
            "my.toml: ",
        ),
        row(
            "unknown key in a file",
            |s| {
                faces(s);
                s.write("my.toml", "bach = 3");
            },
            "train --data faces --out run TINY --device cpu --config my.toml",
            INPUT,
            "my.toml: unknown field `bach`",
        ),
        row(
            "a picture as configuration",
            faces,
            "train --data faces --out run TINY --device cpu --config faces/00.png",
            INPUT,
            "faces/00.png: is not a text file",
        ),
        row(
            "no such file",
            faces,
            "train --data faces --out run TINY --device cpu --config my.toml",
            INPUT,
            "my.toml: does not exist",
        ),
    ]);
}

#[test]
fn devices() {
    check(&[
        row(
            "unknown device",
            faces,
            "train --data faces --out run TINY --device tpu",
            USAGE,
            "--device: there is no device 'tpu'",
        ),
        row(
            "a numbered CPU",
            faces,
            "train --data faces --out run TINY --device cpu:1",
            USAGE,
            "--device: there is no device 'cpu:1'",
        ),
        row(
            "negative number",
            faces,
            "train --data faces --out run TINY --device cuda:-1",
            USAGE,
            "--device: there is no device",
        ),
        row(
            "CUDA card out of range",
            faces,
            "train --data faces --out run TINY --device cuda:9999",
            DEVICE,
            "device cuda:9999: ",
        ),
        row(
            "Vulkan adapter out of range",
            faces,
            "train --data faces --out run TINY --device vulkan:9999",
            DEVICE,
            "device vulkan:9999: ",
        ),
        row("bench on a missing card", nothing, "bench --device cuda:9999", DEVICE, "device cuda:9999: "),
    ]);
}

#[test]
fn flags_of_bench() {
    let bench = |name, line, says| row(name, nothing, line, USAGE, says);
    check(&[
        bench(
            "unknown preset",
            "bench --preset demo-33 --device cpu",
            "--preset: there is no preset 'demo-33'",
        ),
        bench("negative batch", "bench --batch -3 --device cpu", "--batch"),
        bench("no runs", "bench --runs 0 --device cpu", "--runs"),
        bench("negative warm-up", "bench --warmup -1 --device cpu", "--warmup"),
        bench("no threads", "bench --threads 0 --device cpu", "--threads"),
        bench("unknown part", "bench --what everything --device cpu", "--what"),
        bench(
            "tuning the CPU",
            "bench --tune --device cpu",
            "--tune: the CPU has one kernel for each operation",
        ),
        bench("tuning layers", "bench --tune --what kernels --device vulkan", "--tune: "),
        bench(
            "more than fits memory",
            "bench --preset ffhq-256 --batch 65536 --device cpu",
            "batch: a step with 65536 samples a pass needs about",
        ),
        bench("unknown device", "bench --device gpu", "--device: there is no device 'gpu'"),
    ]);
}
