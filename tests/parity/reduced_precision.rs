//! The tiny networks with stages 1 and 2 in bf16, as the reference computes them with autograd.
//!
//! The CPU has tensors of bf16; lavapipe and browsers round f32 to it, layer by layer. Two machines that round after
//! every layer agree to a few units of 2^-8 only, since sums in another order are rounded to the other side. What can
//! be told: f32 is as far from the reference's bf16 as the reference's f32 is, our bf16 is nearer, and so are losses,
//! penalties and gradients.

use burn::tensor::Device;
use r3gan::network::{Format, Gradients, Network, published};
use r3gan::objective::{Objective, penalty::Penalty};
use r3gan::training::{CriticTask, Phase, critic_gradients, generator_gradients};
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

/// The pairs that have a bf16 twin: in f32, and with the published stages in bf16.
fn twins(device: &Device) -> Vec<(Pair, Pair, File)> {
    let reduced = |mut pair: Pair| {
        let stages = pair.config.reduced();
        let (format, config) = (Format::Bf16, &pair.config);
        pair.generator = config.generator_in(format, stages.generator).expect("a generator");
        pair.critic = config.critic_in(format, stages.critic).expect("a critic");
        pair
    };
    let pairs = Pair::all(device).into_iter().zip(Pair::all(device).into_iter().map(reduced));
    let twins: Vec<_> = pairs
        .filter(|(pair, _)| pair.fixture.has("bf16_io.safetensors"))
        .map(|(plain, reduced)| {
            let io = plain.fixture.file("bf16_io.safetensors");
            (plain, reduced, io)
        })
        .collect();
    assert!(!twins.is_empty(), "no fixture has bf16_io.safetensors");
    twins
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

/// Fakes with the channels first, and the logits of the real pictures.
async fn outputs(pair: &Pair, device: &Device) -> [Vec<f32>; 2] {
    let Phase { reals, latents, labels, .. } = pair.phase(device);
    let fakes = pair.generator.evaluate(&pair.generator_weights, latents, labels.as_ref());
    let logits = pair.critic.evaluate(&pair.critic_weights, reals, labels.as_ref());
    [channels_first(fakes).await, host(logits).await]
}

async fn pictures_and_logits(device: &Device) {
    for (plain, reduced, io) in twins(device) {
        let [fakes, logits] = outputs(&plain, device).await;
        let [reduced_fakes, reduced_logits] = outputs(&reduced, device).await;
        assert!(
            reduced_fakes.iter().all(|v| v.to_bits() & 0xffff == 0),
            "pictures are numbers of the format"
        );
        for (what, in_f32, in_bf16, theirs, noted) in [
            ("fake", fakes, reduced_fakes, "fake_as_f32", "fake_relerr_vs_f32"),
            ("logits", logits, reduced_logits, "logits_real", "logits_relerr_vs_f32"),
        ] {
            let theirs = io.values(theirs).1;
            let largest = in_f32.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            let apart = f64::from(largest_difference(&in_f32, &theirs) / largest);
            let noted = plain.fixture.meta["bf16"][noted].as_f64().expect("a distance");
            let [from_f32, from_bf16] = [in_f32, in_bf16].map(|ours| distance(&ours, &theirs));
            let name = format!("{} {what}", plain.fixture.name);
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

async fn losses_penalties_and_gradients(device: &Device) {
    for (_, pair, _) in twins(device) {
        let steps = &pair.fixture.meta["bf16_steps"];
        let gamma = pair.fixture.meta["gamma"].as_f64().expect("gamma");
        let phase = pair.phase(device);
        let fakes =
            pair.generator.evaluate(&pair.generator_weights, phase.latents.clone(), phase.labels.as_ref());
        let objective = Objective::RelativisticPairing;
        let task = CriticTask { objective, penalty: Penalty::R1R2, gamma };
        let (gradients, values) = critic_gradients(pair.critic(), &phase, fakes, task, phase.len());
        let name = &pair.fixture.name;
        let list = |value: &Value| -> Vec<f32> {
            value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number") as f32).collect()
        };
        for (ours, what) in [
            (values.loss, "AdversarialLoss"),
            (values.difference, "RelativisticLogits"),
            (values.r1, "R1Penalty"),
            (values.r2, "R2Penalty"),
        ] {
            let away = distance(&host(ours).await, &list(&steps["D_step"][what]));
            note(&format!("{name} critic's {what}: {away:.1e} away"));
            assert!(away < NEAR, "{name} {what}: {away}");
        }
        let [ours, theirs] = in_a_row(&pair, &pair.critic, gradients, "D_grads.safetensors").await;
        let (cosine_of_critic, noted) = (cosine(&ours, &theirs), &steps["D_grads_cosine"]);
        note(&format!("{name} critic's gradient: cosine {cosine_of_critic}, noted {noted}"));
        assert!(cosine_of_critic > COSINE);

        let (gradients, values) =
            generator_gradients(pair.generator(), pair.critic(), &phase, objective, phase.len());
        for (ours, what) in [(values.loss, "AdversarialLoss"), (values.difference, "RelativisticLogits")] {
            let away = distance(&host(ours).await, &list(&steps["G_step"][what]));
            note(&format!("{name} generator's {what}: {away:.1e} away"));
            assert!(away < NEAR, "{name} {what}: {away}");
        }
        let [ours, theirs] = in_a_row(&pair, &pair.generator, gradients, "G_grads.safetensors").await;
        let (cosine_of_generator, noted) = (cosine(&ours, &theirs), &steps["G_grads_cosine"]);
        note(&format!("{name} generator's gradient: cosine {cosine_of_generator}, noted {noted}"));
        assert!(cosine_of_generator > COSINE);
    }
}

/// Sampling in f16, where a device has it: ten layers that each round by half of 2^-11.
async fn pictures_in_f16(device: &Device) {
    if !Format::F16.is_native(device) {
        note("this device does not compute in f16");
        return;
    }
    for (mut pair, _, _) in twins(device) {
        let [in_f32, _] = outputs(&pair, device).await;
        pair.generator = pair.config.generator_in(Format::F16, 2).expect("a generator");
        let [in_f16, _] = outputs(&pair, device).await;
        let away = distance(&in_f16, &in_f32);
        note(&format!("{}: f16 is {away:.1e} away", pair.fixture.name));
        assert!(away > 1e-5 && away < 2e-3, "{away}");
    }
}

on_devices! { pictures_in_f16, pictures_and_logits, losses_penalties_and_gradients }
