//! The critic's and the generator's gradients against finite differences, in f64 on random small networks.
//!
//! Independent of any fixture: the loss is evaluated from logits, and the penalty's input gradients are
//! themselves checked against differences of logits. A step of 1e-6 leaves an error near 1e-10; the
//! tolerance is 1e-5 of a gradient's largest entry.

use burn::tensor::{DType, Device, Tensor, TensorData};
use r3gan::augment::{Augmentation, Augmentations, Pipeline};
use r3gan::network::{Architecture, Format, Keep, Network, NetworkConfig, Weights};
use r3gan::objective::{Objective, penalty::Penalty};
use r3gan::random::RandomState;
use r3gan::training::{CriticTask, Phase, Player, critic_gradients, generator_gradients};

const STEP: f64 = 1e-6;
const GAMMA: f64 = 0.7;
const BATCH: usize = 3;
/// Entries checked per parameter; the networks have thousands of weights.
const PROBES: usize = 4;

fn tensor<const D: usize>(
    random: &mut RandomState,
    shape: [usize; D],
    scale: f64,
    device: &Device,
) -> Tensor<D> {
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| random.randn() * scale).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().try_to_vec().expect("f64 values")
}

/// Every weight random, so that no branch is off as it is at the start of training.
fn weights(network: &Network, random: &mut RandomState, device: &Device) -> Weights {
    let fan_in = |shape: &[usize]| shape[1..].iter().product::<usize>().max(1) as f64;
    let build = |spec: &r3gan::network::ParameterSpec| {
        tensor(random, [spec.len()], 1.0 / fan_in(&spec.shape).sqrt(), device)
    };
    network.parameters.iter().map(build).collect()
}

fn moved(weights: &Weights, parameter: usize, index: usize, by: f64) -> Weights {
    let mut weights = weights.clone();
    let device = weights[parameter].device();
    let mut values = host(weights[parameter].clone());
    values[index] += by;
    let length = values.len();
    weights[parameter] = Tensor::from_data(TensorData::new(values, [length]), (&device, DType::F64));
    weights
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Logits of the critic, and its gradient at the samples before their augmentation.
fn critic_outputs(
    critic: Player,
    x: &Tensor<4>,
    labels: Option<&Tensor<2>>,
    augmentation: Option<&Augmentation>,
) -> (Vec<f64>, Tensor<4>) {
    let seen = augmentation.map_or_else(|| x.clone(), |a| a.apply(x.clone()));
    let (logits, trace) = critic.network.forward(critic.weights, seen, labels, Keep::Slopes);
    let ones = logits.ones_like();
    let (gradient, _) = critic.network.input_gradient(critic.weights, ones, labels, &trace);
    let gradient = augmentation.map_or_else(|| gradient.clone(), |a| a.adjoint(gradient.clone()));
    (host(logits), gradient)
}

/// What reals and fakes of a phase are seen through.
fn augmentations(phase: &Phase) -> (Option<&Augmentation>, Option<&Augmentation>) {
    let both = phase.augmentations.as_ref();
    (both.map(|both| &both.reals), both.map(|both| &both.fakes))
}

fn critic_loss(critic: Player, phase: &Phase, fakes: &Tensor<4>) -> f64 {
    let labels = phase.labels.as_ref();
    let (of_reals, of_fakes) = augmentations(phase);
    let norms = |gradient: Tensor<4>| host(Penalty::squared_norm(&gradient, Format::F32));
    let (real, at_reals) = critic_outputs(critic, &phase.reals, labels, of_reals);
    let (fake, at_fakes) = critic_outputs(critic, fakes, labels, of_fakes);
    let (r1, r2) = (norms(at_reals), norms(at_fakes));
    let sample = |i: usize| softplus(fake[i] - real[i]) + GAMMA / 2.0 * (r1[i] + r2[i]);
    (0..BATCH).map(sample).sum::<f64>() / BATCH as f64
}

fn generator_loss(generator: Player, critic: Player, phase: &Phase) -> f64 {
    let labels = phase.labels.as_ref();
    let fakes = generator.network.evaluate(generator.weights, phase.latents.clone(), labels);
    let (of_reals, of_fakes) = augmentations(phase);
    let (real, _) = critic_outputs(critic, &phase.reals, labels, of_reals);
    let (fake, _) = critic_outputs(critic, &fakes, labels, of_fakes);
    (0..BATCH).map(|i| softplus(real[i] - fake[i])).sum::<f64>() / BATCH as f64
}

/// The tolerance is relative to the largest entry of the same gradient.
fn assert_gradient(name: &str, exact: f64, numeric: f64, scale: f64) {
    let tolerance = 1e-5 * scale.max(1e-3);
    assert!((exact - numeric).abs() <= tolerance, "{name}: exact {exact}, differences {numeric}");
}

fn check(config: &NetworkConfig, seed: u32, augment: bool) {
    let device = r3gan::backend::open("cpu").expect("the CPU");
    let mut random = RandomState::new(seed);
    let (generator, critic) = (config.generator().expect("a generator"), config.critic().expect("a critic"));
    let generator_weights = weights(&generator, &mut random, &device);
    let critic_weights = weights(&critic, &mut random, &device);
    let [height, width, channels] = config.sample_shape();
    let labels = (config.classes > 0).then(|| {
        let mut one_hot = vec![0.0f64; BATCH * config.classes];
        (0..BATCH).for_each(|i| one_hot[i * config.classes + (i * 2) % config.classes] = 1.0);
        Tensor::from_data(TensorData::new(one_hot, [BATCH, config.classes]), (&device, DType::F64))
    });
    let phase = Phase {
        reals: tensor(&mut random, [BATCH, height, width, channels], 1.0, &device),
        latents: tensor(&mut random, [BATCH, 1, 1, config.latent], 1.0, &device),
        labels,
        augmentations: None,
    };
    let phase = match augment {
        true => {
            let pipeline = Pipeline::new(height, channels, &device).cast(DType::F64);
            let mut draw = || pipeline.draw(&mut random, 0.9, BATCH);
            let augmentations = Augmentations { reals: draw(), fakes: draw() };
            Phase { augmentations: Some(augmentations), ..phase }
        }
        false => phase,
    };
    let labels = phase.labels.as_ref();
    let generator_player = Player { network: &generator, weights: &generator_weights };
    let critic_player = Player { network: &critic, weights: &critic_weights };
    let fakes = generator.evaluate(&generator_weights, phase.latents.clone(), labels);

    check_input_gradient(critic_player, &phase);

    let task = CriticTask { objective: Objective::RelativisticPairing, penalty: Penalty::R1R2, gamma: GAMMA };
    let (gradients, _) = critic_gradients(critic_player, &phase, fakes.clone(), task, BATCH);
    for (parameter, gradient) in gradients.into_iter().enumerate() {
        let at = |index, by| {
            let weights = moved(&critic_weights, parameter, index, by);
            critic_loss(Player { network: &critic, weights: &weights }, &phase, &fakes)
        };
        check_parameter(&critic, parameter, &host(gradient), &mut random, at);
    }

    let (gradients, _) =
        generator_gradients(generator_player, critic_player, &phase, Objective::RelativisticPairing, BATCH);
    for (parameter, gradient) in gradients.into_iter().enumerate() {
        let at = |index, by| {
            let weights = moved(&generator_weights, parameter, index, by);
            generator_loss(Player { network: &generator, weights: &weights }, critic_player, &phase)
        };
        check_parameter(&generator, parameter, &host(gradient), &mut random, at);
    }
}

fn check_parameter(
    network: &Network,
    parameter: usize,
    gradient: &[f64],
    random: &mut RandomState,
    loss: impl Fn(usize, f64) -> f64,
) {
    let largest = gradient.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let mut kinks = 0;
    let mut probes = 0;
    while probes < PROBES {
        let index = random.randint(gradient.len() as u32) as usize;
        let (after, here, before) = (loss(index, STEP), loss(index, 0.0), loss(index, -STEP));
        let numeric = (after - before) / (2.0 * STEP);
        // Where an activation changes its slope within the step, the loss has a kink (with a penalty a jump),
        // and differences mean nothing.
        if (after - 2.0 * here + before).abs() > 1e-5 * STEP * largest.max(1e-3) {
            kinks += 1;
            assert!(kinks <= PROBES, "too many kinks to check {}", network.parameters[parameter].name);
            continue;
        }
        probes += 1;
        let name = format!("{:?} {}[{index}]", network.role, network.parameters[parameter].name);
        assert_gradient(&name, gradient[index], numeric, largest);
    }
}

/// The input gradient that penalties are made of, against differences of logits.
fn check_input_gradient(critic: Player, phase: &Phase) {
    let (labels, (augmentation, _)) = (phase.labels.as_ref(), augmentations(phase));
    let (_, gradient) = critic_outputs(critic, &phase.reals, labels, augmentation);
    let (gradient, reals) = (host(gradient), host(phase.reals.clone()));
    let largest = gradient.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let shape = phase.reals.dims();
    for index in (0..reals.len()).step_by(reals.len() / 5 + 1) {
        let at = |by: f64| {
            let mut values = reals.clone();
            values[index] += by;
            let x = Tensor::from_data(TensorData::new(values, shape), (&phase.reals.device(), DType::F64));
            critic_outputs(critic, &x, labels, augmentation).0.iter().sum::<f64>()
        };
        let numeric = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        assert_gradient(&format!("input[{index}]"), gradient[index], numeric, largest);
    }
}

fn convolutional(classes: usize) -> NetworkConfig {
    let architecture = Architecture::Convolutional {
        widths: vec![6, 6, 4],
        cardinality: vec![3, 2, 2],
        blocks: vec![1, 2, 1],
        expansion: 2,
        generator_embedding: 5,
        critic_embedding: 7,
    };
    NetworkConfig { latent: 8, classes, architecture }
}

fn perceptron(classes: usize) -> NetworkConfig {
    NetworkConfig {
        latent: 4,
        classes,
        architecture: Architecture::Perceptron { hidden: vec![16; 3], outputs: 2 },
    }
}

#[test]
fn unconditional_convolutional_pair() {
    check(&convolutional(0), 11, false);
}

#[test]
fn conditional_convolutional_pair() {
    check(&convolutional(4), 12, false);
}

#[test]
fn unconditional_perceptron_pair() {
    check(&perceptron(0), 13, false);
}

#[test]
fn conditional_perceptron_pair() {
    check(&perceptron(3), 14, false);
}

#[test]
fn augmented_pair() {
    check(&convolutional(0), 15, true);
}

#[test]
fn augmented_conditional_pair() {
    check(&convolutional(4), 16, true);
}
