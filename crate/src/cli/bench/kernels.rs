//! Every distinct layer of a preset's networks by itself, beside what the device could do.
//!
//! The roofline is measured in the same run: how fast memory is copied, and how fast a large product is. A kernel can be no
//! faster than its products at the one and its bytes at the other.

use std::cell::RefCell;
use std::collections::BTreeSet;

use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;

use super::clock::Clock;
use super::exit;
use crate::Result;
use crate::kernels::{self, AdamStep, Finish};
use crate::linear::{LinearMap, resample::Resample};
use crate::network::{Layer, Network, NetworkConfig, Weights};

/// Entries of the tensors that are copied and of the matrices that are multiplied, to find the roof.
const COPIED: usize = 1 << 24;
const SIDE: usize = 1024;

/// One kernel on one shape.
struct Case {
    name: &'static str,
    shape: String,
    flops: f64,
    bytes: f64,
    /// Makes its tensors, which only one case at a time has.
    prepare: Box<dyn FnOnce() -> Work>,
}

type Work = Box<dyn Fn() -> Tensor<1>>;

/// What the device could do.
#[derive(Clone, Copy)]
struct Roof {
    bytes_per_s: f64,
    flops_per_s: f64,
}

pub struct Kernels<'a> {
    pub preset: &'a str,
    pub network: &'a NetworkConfig,
    pub batch: usize,
    pub clock: Clock<'a>,
    pub json: bool,
}

impl Kernels<'_> {
    /// Measures and prints a line for each.
    pub fn run(&self) -> Result<()> {
        let roof = self.roof()?;
        let Roof { bytes_per_s, flops_per_s } = roof;
        exit::say(&if self.json {
            let (preset, device) = (self.preset, self.clock.device_name);
            json!({ "peer": "r3gan", "preset": preset, "what": "roof", "device": device,
                    "bytes_per_s": bytes_per_s, "flops_per_s": flops_per_s })
            .to_string()
        } else {
            let (bytes, flops) = (bytes_per_s / 1e9, flops_per_s / 1e9);
            format!(
                "{}, batch {}, f32: memory is copied at {bytes:.1} GB/s, and a product of {SIDE} runs at {flops:.1} \
                 GFLOP/s\n\n{:<24} {:<34} {:>10} {:>10} {:>10} {:>10}",
                self.preset, self.batch, "kernel", "shape", "median ms", "GB/s", "GFLOP/s", "of the roof"
            )
        })?;
        for case in self.cases()? {
            let seconds = self.clock.median(&(case.prepare)())?;
            let bound = (case.bytes / roof.bytes_per_s).max(case.flops / roof.flops_per_s);
            let share = bound / seconds;
            exit::say(&if self.json {
                json!({ "peer": "r3gan", "preset": self.preset, "what": "kernel", "kernel": case.name,
                        "shape": case.shape, "batch": self.batch, "device": self.clock.device_name, "dtype": "f32",
                        "median_s": seconds, "flops": case.flops, "bytes": case.bytes, "roofline": share })
                .to_string()
            } else {
                format!(
                    "{:<24} {:<34} {:>10.3} {:>10.2} {:>10.1} {:>9.0}%",
                    case.name,
                    case.shape,
                    seconds * 1e3,
                    case.bytes / seconds / 1e9,
                    case.flops / seconds / 1e9,
                    share * 100.0
                )
            })?;
        }
        Ok(())
    }

    fn roof(&self) -> Result<Roof> {
        let x: Tensor<1> = random([COPIED], self.clock.device);
        let copied = self.clock.median(&move || (x.clone() + 1.0).narrow(0, 0, 1))?;
        let square: Tensor<2> = random([SIDE, SIDE], self.clock.device);
        let product =
            move || kernels::matrix_product(square.clone(), square.clone()).flatten(0, 1).narrow(0, 0, 1);
        let multiplied = self.clock.median(&product)?;
        Ok(Roof {
            bytes_per_s: (2 * size_of::<f32>() * COPIED) as f64 / copied,
            flops_per_s: 2.0 * (SIDE as f64).powi(3) / multiplied,
        })
    }

    fn cases(&self) -> Result<Vec<Case>> {
        let (generator, critic) = (self.network.generator()?, self.network.critic()?);
        let mut seen = BTreeSet::new();
        let mut cases = Vec::new();
        let [height, ..] = self.network.sample_shape();
        for (network, side) in [(&generator, 1), (&critic, height)] {
            self.walk(&network.layers, side, &mut seen, &mut cases);
        }
        cases.extend(self.updates(&generator));
        Ok(cases)
    }

    /// Collects layers that were not seen yet; returns the side of what comes out.
    fn walk(
        &self,
        layers: &[Layer],
        mut side: usize,
        seen: &mut BTreeSet<String>,
        cases: &mut Vec<Case>,
    ) -> usize {
        let mut channels = 0;
        for (index, layer) in layers.iter().enumerate() {
            match layer {
                Layer::Linear { map, .. } => {
                    let activates = matches!(layers.get(index + 1), Some(Layer::Activation { .. }));
                    if seen.insert(format!("{map:?} {side} {activates}")) {
                        cases.extend(self.linear(*map, side, activates));
                    }
                    side = match map {
                        LinearMap::ExpandBasis { .. } => 4,
                        LinearMap::ContractBasis { .. } => 1,
                        _ => side,
                    };
                    channels = map.outputs();
                }
                Layer::Residual(inner) => {
                    self.walk(inner, side, seen, cases);
                    if let Some(Layer::Linear { map, .. }) = inner.last() {
                        channels = map.outputs();
                    }
                }
                Layer::Reduced { layers, .. } => side = self.walk(layers, side, seen, cases),
                Layer::Resample(resample) => {
                    if seen.insert(format!("{resample:?} {side} {channels}")) {
                        cases.push(self.resampling(*resample, side, channels));
                    }
                    side = if *resample == Resample::Up { 2 * side } else { side / 2 };
                }
                Layer::Activation { .. } | Layer::AppendLabel { .. } => {}
            }
        }
        side
    }

    /// A linear map as a forward pass of training runs it, which turns its weight, and the two gradients, where it has a kernel of ours.
    fn linear(&self, map: LinearMap, side: usize, activates: bool) -> Vec<Case> {
        let (inputs, outputs, weights, names) = match map {
            LinearMap::Pointwise { inputs, outputs } => {
                (inputs, outputs, inputs * outputs, ["1x1", "1x1 adjoint", "1x1 weight gradient"])
            }
            LinearMap::Grouped { channels, groups } => {
                let weights = channels * (channels / groups) * kernels::TAPS;
                (channels, channels, weights, ["3x3 grouped", "3x3 adjoint", "3x3 weight gradient"])
            }
            _ => return Vec::new(),
        };
        let pixels = self.batch * side * side;
        let flops = 2.0 * (pixels * weights) as f64;
        let bytes = (size_of::<f32>() * (pixels * (inputs + outputs) + weights)) as f64;
        let shape = format!("[{}, {side}, {side}, {inputs}] to {outputs}", self.batch);
        let (device, sizes) = (self.clock.device.clone(), [self.batch, side, side, inputs]);
        let outer = [self.batch, side, side, outputs];
        let one = |y: Tensor<4>| y.flatten::<1>(0, 3).narrow(0, 0, 1);
        let forward = {
            let device = device.clone();
            move || -> Work {
                let (x, weight): (Tensor<4>, Tensor<1>) =
                    (random(sizes, &device), random([weights], &device));
                let bias: Tensor<4> = random([1, 1, 1, outputs], &device);
                Box::new(move || {
                    let finish =
                        if activates { Finish::Record { bias: bias.clone() } } else { Finish::Nothing };
                    one(map.apply(x.clone(), &weight, None, finish).0)
                })
            }
        };
        let adjoint = {
            let device = device.clone();
            move || -> Work {
                let (delta, weight): (Tensor<4>, Tensor<1>) =
                    (random(outer, &device), random([weights], &device));
                Box::new(move || one(map.adjoint(delta.clone(), &weight, None, Finish::Nothing)))
            }
        };
        let gradient = move || -> Work {
            let (x, delta): (Tensor<4>, Tensor<4>) = (random(sizes, &device), random(outer, &device));
            Box::new(move || map.weight_gradient(x.clone(), delta.clone(), None).narrow(0, 0, 1))
        };
        let works: [Box<dyn FnOnce() -> Work>; 3] =
            [Box::new(forward), Box::new(adjoint), Box::new(gradient)];
        let cases = names.into_iter().zip(works);
        cases.map(|(name, prepare)| Case { name, shape: shape.clone(), flops, bytes, prepare }).collect()
    }

    fn resampling(&self, resample: Resample, side: usize, channels: usize) -> Case {
        let (name, entries) = match resample {
            Resample::Up => ("resample up", 5 * side * side),
            Resample::Down => ("resample down", side * side * 5 / 4),
        };
        let (device, shape) = (self.clock.device.clone(), [self.batch, side, side, channels]);
        Case {
            name,
            shape: format!("[{}, {side}, {side}, {channels}]", self.batch),
            flops: 0.0,
            bytes: (size_of::<f32>() * self.batch * entries * channels) as f64,
            prepare: Box::new(move || {
                let x: Tensor<4> = random(shape, &device);
                Box::new(move || resample.apply(x.clone()).flatten::<1>(0, 3).narrow(0, 0, 1))
            }),
        }
    }

    /// What follows a gradient, on as many weights as the generator has.
    fn updates(&self, generator: &Network) -> [Case; 2] {
        let count = generator.parameter_count();
        let step = AdamStep { rate: 1e-3, beta2: 0.9, correction: 1.0, epsilon: 1e-8 };
        let case = |name, passes: usize, prepare| Case {
            name,
            shape: format!("[{count}]"),
            flops: 0.0,
            bytes: (size_of::<f32>() * passes * count) as f64,
            prepare,
        };
        let device = self.clock.device.clone();
        let adam = {
            let device = device.clone();
            move || -> Work {
                let [weights, moments, gradients]: [Weights; 3] =
                    [(); 3].map(|()| vec![random([count], &device).abs()]);
                // Held by no one else, as in training: the CPU then changes it in place.
                let held = RefCell::new((weights, moments));
                Box::new(move || {
                    let (weights, moments) = held.take();
                    let (weights, moments) = kernels::adam(weights, moments, gradients.clone(), step);
                    let first = weights[0].clone().narrow(0, 0, 1) + 0.0;
                    held.replace((weights, moments));
                    first
                })
            }
        };
        let moved = move || -> Work {
            let [averages, weights]: [Weights; 2] = [(); 2].map(|()| vec![random([count], &device)]);
            let held = RefCell::new(averages);
            Box::new(move || {
                let averages = kernels::average(held.take(), weights.clone(), 0.999);
                let first = averages[0].clone().narrow(0, 0, 1) + 0.0;
                held.replace(averages);
                first
            })
        };
        [case("adam", 5, Box::new(adam) as Box<dyn FnOnce() -> Work>), case("average", 3, Box::new(moved))]
    }
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}
