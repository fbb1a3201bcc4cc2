//! The tiny networks with stages 1 and 2 in bf16, as the reference computes them with autograd.
//!
//! The CPU, lavapipe and browsers round f32 to bf16, layer by layer; the passes over tensors of half the width, which
//! CUDA takes for bf16, are checked in f16. Two machines that round after every layer agree to a few units of 2^-8 only,
//! since sums in another order are rounded to the other side. What can be told: f32 is as far from the reference's bf16
//! as the reference's f32 is, our bf16 is nearer, and losses, penalties and gradients are near.

use burn::tensor::Device;
use r3gan::network::{Format, Gradients, Network, published};
use r3gan::objective::{Objective, penalty::Penalty};
use r3gan::training::{
    CriticTask, CriticValues, GeneratorValues, Phase, critic_gradients, generator_gradients,
};
use serde_json::Value;

use crate::compare::{host, largest_difference};
use crate::fixtures::File;
use crate::networks::{Pair, channels_first};
use crate::platform::{note, on_devices};

/// Of f32's distance from the reference's bf16: 0.6 was measured.
const NEARER: f64 = 0.8;
/// Of four losses or penalties: two and a half units of 2^-8, after some thirty roundings.
const NEAR: f64 = 0.01;
/// Between bf16 and f32 the reference measured cosines of 0.99997 and more.
const COSINE: f64 = 0.9999;

/// The pairs that the reference computed in bf16 too, with those outputs; in f32 here.
fn pairs(device: &Device) -> Vec<(Pair, File)> {
    let pairs = Pair::all(device).into_iter().filter(|pair| pair.fixture.has("bf16_io.safetensors"));
    let with_file = |pair: Pair| {
        let file = pair.fixture.file("bf16_io.safetensors");
        (pair, file)
    };
    let pairs: Vec<_> = pairs.map(with_file).collect();
    assert!(!pairs.is_empty(), "no fixture has bf16_io.safetensors");
    pairs
}

/// The published stages in another format.
fn compute_in(format: Format, pair: &mut Pair) {
    let stages = pair.config.reduced();
    pair.generator = pair.config.generator_in(format, stages.generator).expect("a generator");
    pair.critic = pair.config.critic_in(format, stages.critic).expect("a critic");
}

/// The length of the difference, in lengths of `theirs`.
fn distance(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = length(&mut ours.iter().zip(theirs).map(|(a, b)| f64::from(a - b)));
    difference / length(&mut theirs.iter().map(|v| f64::from(*v)))
}

fn cosine(ours: &[f32], theirs: &[f32]) -> f64 {
    let inner =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    inner(ours, theirs) / (inner(ours, ours) * inner(theirs, theirs)).sqrt()
}

fn is_bf16(value: &f32) -> bool {
    value.to_bits() & 0xffff == 0
}

/// Fakes with the channels first, and the logits of the real pictures.
async fn outputs(pair: &Pair, device: &Device) -> [Vec<f32>; 2] {
    let Phase { reals, latents, labels, .. } = pair.phase(device);
    // As a sampler has them: rounded before, not on the way.
    let weights = pair.generator.prepare(pair.generator_weights.clone());
    let fakes = pair.generator.evaluate_prepared(&weights, latents, labels.as_ref());
    let logits = pair.critic.evaluate(&pair.critic_weights, reals, labels.as_ref());
    [channels_first(fakes).await, host(logits).await]
}

async fn pictures_and_logits(device: &Device) {
    for (mut pair, io) in pairs(device) {
        let [fakes, logits] = outputs(&pair, device).await;
        compute_in(Format::Bf16, &mut pair);
        let [reduced_fakes, reduced_logits] = outputs(&pair, device).await;
        assert!(reduced_fakes.iter().all(is_bf16), "pictures are numbers of the format");
        for (what, in_f32, in_bf16, theirs, noted) in [
            ("fake", fakes, reduced_fakes, "fake_as_f32", "fake_relerr_vs_f32"),
            ("logits", logits, reduced_logits, "logits_real", "logits_relerr_vs_f32"),
        ] {
            let theirs = io.values(theirs).1;
            let largest = in_f32.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            let apart = f64::from(largest_difference(&in_f32, &theirs) / largest);
            let noted = pair.fixture.meta["bf16"][noted].as_f64().expect("a distance");
            let [from_f32, from_bf16] = [in_f32, in_bf16].map(|ours| distance(&ours, &theirs));
            let name = format!("{} {what}", pair.fixture.name);
            note(&format!(
                "{name}: f32 is {from_f32:.1e} away, at most {apart:.2e}, noted {noted:.2e}; bf16 {from_bf16:.1e}"
            ));
            assert!((apart - noted).abs() < 0.02 * noted, "{name}: f32 is {apart} away, not {noted}");
            assert!(from_bf16 < NEARER * from_f32, "{name}: bf16 is {from_bf16} away, f32 {from_f32}");
        }
    }
}

/// All gradients in a row, and the reference's f32 ones.
async fn in_a_row(pair: &Pair, network: &Network, ours: Gradients, file: &str) -> [Vec<f32>; 2] {
    let theirs = pair.fixture.file(file);
    let names = published::names(&pair.config, network).expect("a published family");
    let (mut mine, mut expected) = (Vec::new(), Vec::new());
    for (name, gradient) in names.iter().zip(ours) {
        mine.extend(host(gradient).await);
        expected.extend(theirs.values(name).1);
    }
    [mine, expected]
}

/// The losses, penalties and gradients of both players.
struct Steps {
    critic: CriticValues,
    generator: GeneratorValues,
    /// Of our gradients with the reference's in f32.
    cosines: [f64; 2],
}

async fn steps(pair: &Pair, device: &Device) -> Steps {
    let phase = pair.phase(device);
    let (latents, labels) = (phase.latents.clone(), phase.labels.as_ref());
    let fakes = pair.generator.evaluate(&pair.generator_weights, latents, labels);
    let objective = Objective::RelativisticPairing;
    let gamma = pair.fixture.meta["gamma"].as_f64().expect("gamma");
    let task = CriticTask { objective, penalty: Penalty::R1R2, gamma };
    let (of_critic, critic) = critic_gradients(pair.critic(), &phase, fakes, task, phase.len());
    let (of_generator, generator) =
        generator_gradients(pair.generator(), pair.critic(), &phase, objective, phase.len());
    let [ours, theirs] = in_a_row(pair, &pair.critic, of_critic, "D_grads.safetensors").await;
    let of_critic = cosine(&ours, &theirs);
    let [ours, theirs] = in_a_row(pair, &pair.generator, of_generator, "G_grads.safetensors").await;
    Steps { critic, generator, cosines: [of_critic, cosine(&ours, &theirs)] }
}

async fn losses_penalties_and_gradients(device: &Device) {
    for (mut pair, _) in pairs(device) {
        compute_in(Format::Bf16, &mut pair);
        let Steps { critic, generator, cosines } = steps(&pair, device).await;
        let (name, noted) = (&pair.fixture.name, &pair.fixture.meta["bf16_steps"]);
        let list = |value: &Value| -> Vec<f32> {
            value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number") as f32).collect()
        };
        for (ours, step, what) in [
            (critic.loss, "D_step", "AdversarialLoss"),
            (critic.difference, "D_step", "RelativisticLogits"),
            (critic.r1, "D_step", "R1Penalty"),
            (critic.r2, "D_step", "R2Penalty"),
            (generator.loss, "G_step", "AdversarialLoss"),
            (generator.difference, "G_step", "RelativisticLogits"),
        ] {
            let ours = host(ours).await;
            let away = distance(&ours, &list(&noted[step][what]));
            note(&format!("{name} {step}.{what}: {away:.1e} away"));
            assert!(away < NEAR, "{name} {step}.{what}: {away}");
            assert!(what != "R2Penalty" || ours.iter().all(is_bf16), "R2 is a number of the fakes' format");
        }
        for (what, cosine) in ["D_grads_cosine", "G_grads_cosine"].into_iter().zip(cosines) {
            note(&format!("{name} {what}: {cosine}, noted {}", noted[what]));
            assert!(cosine > COSINE, "{name} {what}: {cosine}");
        }
    }
}

/// Tensors of half the width, where a device has them: f16, whose rounding is an eighth of bf16's.
async fn every_pass_in_f16(device: &Device) {
    if !Format::F16.is_native(device) {
        note("this device does not compute in f16");
        return;
    }
    for (mut pair, _) in pairs(device) {
        let [in_f32, _] = outputs(&pair, device).await;
        compute_in(Format::F16, &mut pair);
        let [in_f16, _] = outputs(&pair, device).await;
        let away = distance(&in_f16, &in_f32);
        let cosines = steps(&pair, device).await.cosines;
        note(&format!("{}: pictures are {away:.1e} away, cosines {cosines:?}", pair.fixture.name));
        assert!(away > 1e-5 && away < 2e-3, "{away}");
        assert!(cosines.iter().all(|cosine| *cosine > COSINE), "{cosines:?}");
    }
}

on_devices! { pictures_and_logits, losses_penalties_and_gradients, every_pass_in_f16 }
