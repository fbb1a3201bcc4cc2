//! The passes of linear replay, as walks over one list of layers.
//!
//! | pass | direction | keeps or uses |
//! |---|---|---|
//! | [`Network::forward`] | up | takes slopes, keeps what [`Keep`] says |
//! | [`Network::input_gradient`] | down | uses slopes, keeps the signal of every layer ([`Deltas`]) |
//! | [`Network::replay`] | up | uses slopes and deltas, yields weight gradients |
//! | [`Network::backward`] | down | uses slopes and inputs, yields weight gradients |
//!
//! The critic goes forward, input gradient, replay: four forwards' worth of work for the exact gradient
//! of loss and penalties (linear-replay notes). The generator goes forward, backward.

use burn::tensor::Tensor;

use super::format::Arithmetic;
use super::slopes::{NEGATIVE_SLOPE, Slopes, row};
use super::{Format, Layer, Network, ParameterId, Weights};
use crate::kernels;
use crate::linear::{embed, expect_labels, matrix, pointwise};

/// What a forward pass keeps for the passes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: sampling, and logits that are constants.
    Nothing,
    /// The slopes: enough for input gradient and replay.
    Slopes,
    /// Slopes and the input of every weight: back-propagation.
    Everything,
}

/// What a forward pass kept, by parameter.
#[derive(Debug, Default)]
pub struct Trace {
    slopes: Vec<Option<Slopes>>,
    inputs: Vec<Option<Tensor<4>>>,
}

/// The signal (gradient of the sum of the outputs) at the output of every layer with a parameter.
#[derive(Debug)]
pub struct Deltas(Vec<Option<Tensor<4>>>);

/// A gradient for every parameter, flat, in the order of the weights.
pub type Gradients = Vec<Tensor<1>>;

impl Network {
    /// The outputs for `x`, keeping nothing.
    pub fn evaluate(&self, weights: &Weights, x: Tensor<4>, labels: Option<&Tensor<2>>) -> Tensor<4> {
        self.forward(weights, x, labels, Keep::Nothing).0
    }

    /// The outputs for `x`, and what later passes need.
    pub fn forward(
        &self,
        weights: &Weights,
        x: Tensor<4>,
        labels: Option<&Tensor<2>>,
        keep: Keep,
    ) -> (Tensor<4>, Trace) {
        let mut pass = Forward { keep, trace: Trace::sized(self.parameters.len()) };
        let y = up(&self.layers, x, &Context::new(weights, labels), &mut pass);
        (y, pass.trace)
    }

    /// The gradient of `sum(signal * outputs)` with respect to the input, and the signal at every layer.
    pub fn input_gradient(
        &self,
        weights: &Weights,
        signal: Tensor<4>,
        labels: Option<&Tensor<2>>,
        trace: &Trace,
    ) -> (Tensor<4>, Deltas) {
        let mut deltas = Deltas(vec![None; self.parameters.len()]);
        let keep = |event: Signal, deltas: &mut Deltas| deltas.0[event.parameter] = Some(event.delta);
        let context = Context::new(weights, labels);
        let x = down(&self.layers, signal, &context, trace, &mut |event| keep(event, &mut deltas));
        (x, deltas)
    }

    /// The gradient of `sum(outputs)` with respect to the input, keeping nothing on the way.
    pub fn input_gradient_only(
        &self,
        weights: &Weights,
        signal: Tensor<4>,
        labels: Option<&Tensor<2>>,
        trace: &Trace,
    ) -> Tensor<4> {
        down(&self.layers, signal, &Context::new(weights, labels), trace, &mut |_| {})
    }

    /// Weight gradients of the sum of the outputs of the frozen network at `u`, biases scaled per sample.
    ///
    /// `bias_scale` is `[batch, 1, 1, 1]`. Every layer's gradient is its kept signal times its replayed
    /// input, so no second walk down is needed; each signal is freed as soon as it is used.
    pub fn replay(
        &self,
        weights: &Weights,
        u: Tensor<4>,
        bias_scale: Tensor<4>,
        labels: Option<&Tensor<2>>,
        trace: &Trace,
        deltas: Deltas,
    ) -> Gradients {
        let mut pass = Replay { trace, deltas: deltas.0, gradients: vec![None; self.parameters.len()] };
        let context = Context { bias_scale: Some(bias_scale), ..Context::new(weights, labels) };
        up(&self.layers, u, &context, &mut pass);
        complete(pass.gradients)
    }

    /// Weight gradients of `sum(signal * outputs)` by back-propagation; the trace kept everything.
    pub fn backward(
        &self,
        weights: &Weights,
        signal: Tensor<4>,
        labels: Option<&Tensor<2>>,
        mut trace: Trace,
    ) -> Gradients {
        let mut gradients: Vec<Option<Tensor<1>>> = vec![None; self.parameters.len()];
        let mut inputs = std::mem::take(&mut trace.inputs);
        let context = Context::new(weights, labels);
        down(&self.layers, signal, &context, &trace, &mut |event| {
            let input = inputs[event.parameter].take();
            gradients[event.parameter] = Some(gradient(event.layer, input, event.delta, event.context));
        });
        complete(gradients)
    }
}

impl Trace {
    fn sized(parameters: usize) -> Self {
        Self { slopes: vec![None; parameters], inputs: vec![None; parameters] }
    }

    fn slopes(&self, bias: ParameterId) -> &Slopes {
        self.slopes[bias].as_ref().expect("the forward pass kept no slopes")
    }
}

/// What every layer may read during a walk.
#[derive(Clone)]
struct Context<'a> {
    weights: &'a Weights,
    labels: Option<&'a Tensor<2>>,
    /// `[batch, 1, 1, 1]`: every bias is multiplied by it; one if absent.
    bias_scale: Option<Tensor<4>>,
    /// What the layers of this part of the walk compute in.
    arithmetic: Arithmetic,
}

impl<'a> Context<'a> {
    fn new(weights: &'a Weights, labels: Option<&'a Tensor<2>>) -> Self {
        Self { weights, labels, bias_scale: None, arithmetic: Arithmetic::Plain }
    }

    /// The same for layers in `format`, on the device of `x`.
    fn within(&self, format: Format, x: &Tensor<4>) -> Self {
        Self { arithmetic: Arithmetic::of(format, &x.device()), ..self.clone() }
    }

    fn weight(&self, parameter: ParameterId) -> Tensor<1> {
        self.arithmetic.narrow(self.weights[parameter].clone())
    }

    /// A bias as a row, rounded once, after its scale.
    fn bias(&self, parameter: ParameterId) -> Tensor<4> {
        self.arithmetic.narrow(self.scaled(row(&self.weights[parameter])))
    }

    /// A constant that a layer adds, scaled per sample where the walk says so.
    fn scaled(&self, constant: Tensor<4>) -> Tensor<4> {
        match &self.bias_scale {
            Some(scale) => constant * scale.clone(),
            None => constant,
        }
    }
}

/// What differs between the walks that go up.
trait Up {
    /// Called with the input of every layer that has a parameter.
    fn enter(&mut self, layer: &Layer, parameter: ParameterId, x: &Tensor<4>, context: &Context);
    /// The activation of `x`, the sum of input and bias.
    fn activate(&mut self, bias: ParameterId, x: Tensor<4>) -> Tensor<4>;
}

fn up(layers: &[Layer], mut x: Tensor<4>, context: &Context, pass: &mut impl Up) -> Tensor<4> {
    for layer in layers {
        let y = match layer {
            Layer::Linear { map, weight } => {
                pass.enter(layer, *weight, &x, context);
                map.apply(x, &context.weight(*weight), context.labels)
            }
            Layer::Activation { bias } => {
                pass.enter(layer, *bias, &x, context);
                pass.activate(*bias, x + context.bias(*bias))
            }
            Layer::AppendLabel { embedding, classes, weight } => {
                pass.enter(layer, *weight, &x, context);
                let label = embed(context.labels, matrix(&context.weight(*weight), *embedding, *classes));
                Tensor::cat(vec![x, context.scaled(label)], 3)
            }
            // Its four means an axis are rounded once, not one by one.
            Layer::Resample(resample) => resample.apply(context.arithmetic.widen(x)),
            Layer::Residual(inner) => x.clone() + up(inner, x, context, pass),
            Layer::Reduced { format, layers } => {
                let within = context.within(*format, &x);
                let y = up(layers, within.arithmetic.narrow(x), &within, pass);
                within.arithmetic.widen(y)
            }
        };
        x = context.arithmetic.narrow(y);
    }
    x
}

/// The signal that a walk down meets at the output of a layer with a parameter.
struct Signal<'a> {
    layer: &'a Layer,
    parameter: ParameterId,
    delta: Tensor<4>,
    context: &'a Context<'a>,
}

fn down(
    layers: &[Layer],
    mut signal: Tensor<4>,
    context: &Context,
    trace: &Trace,
    meet: &mut impl FnMut(Signal),
) -> Tensor<4> {
    for layer in layers.iter().rev() {
        let mut met = |parameter: &ParameterId, delta: &Tensor<4>| {
            meet(Signal { layer, parameter: *parameter, delta: delta.clone(), context });
        };
        let below = match layer {
            Layer::Linear { map, weight } => {
                met(weight, &signal);
                map.adjoint(signal, &context.weight(*weight), context.labels)
            }
            Layer::Activation { bias } => {
                let signal = trace.slopes(*bias).apply(signal);
                met(bias, &signal);
                signal
            }
            Layer::AppendLabel { embedding, weight, .. } => {
                let width = signal.dims()[3] - embedding;
                met(weight, &signal);
                signal.narrow(3, 0, width)
            }
            Layer::Resample(resample) => resample.adjoint(context.arithmetic.widen(signal)),
            Layer::Residual(inner) => signal.clone() + down(inner, signal, context, trace, meet),
            Layer::Reduced { format, layers } => {
                let within = context.within(*format, &signal);
                let below = down(layers, within.arithmetic.narrow(signal), &within, trace, meet);
                within.arithmetic.widen(below)
            }
        };
        signal = context.arithmetic.narrow(below);
    }
    signal
}

/// The gradient of a layer's parameter from its input and the signal at its output; in f32, as the parameter is.
fn gradient(layer: &Layer, input: Option<Tensor<4>>, delta: Tensor<4>, context: &Context) -> Tensor<1> {
    let arithmetic = context.arithmetic;
    let gradient = match layer {
        Layer::Linear { map, .. } => {
            let input = input.expect("the forward pass kept no inputs");
            map.weight_gradient(input, delta, context.labels)
        }
        Layer::Activation { .. } => {
            let channels = delta.dims()[3];
            // A sum over all pixels is added up in f32.
            let delta = arithmetic.widen(delta);
            context.scaled(delta.sum_dim(1).sum_dim(2)).sum_dim(0).reshape([channels])
        }
        Layer::AppendLabel { embedding, .. } => {
            let width = delta.dims()[3] - embedding;
            let delta = context.scaled(delta.narrow(3, width, *embedding));
            pointwise::rows(delta).transpose().matmul(expect_labels(context.labels).clone()).flatten(0, 1)
        }
        Layer::Resample(_) | Layer::Residual(_) | Layer::Reduced { .. } => {
            unreachable!("these layers have no parameter")
        }
    };
    arithmetic.widen(arithmetic.narrow(gradient))
}

fn complete(gradients: Vec<Option<Tensor<1>>>) -> Gradients {
    gradients.into_iter().map(|g| g.expect("every parameter is in exactly one layer")).collect()
}

struct Forward {
    keep: Keep,
    trace: Trace,
}

impl Up for Forward {
    fn enter(&mut self, layer: &Layer, parameter: ParameterId, x: &Tensor<4>, _: &Context) {
        if self.keep == Keep::Everything && matches!(layer, Layer::Linear { .. }) {
            self.trace.inputs[parameter] = Some(x.clone());
        }
    }

    fn activate(&mut self, bias: ParameterId, x: Tensor<4>) -> Tensor<4> {
        if self.keep == Keep::Nothing {
            return kernels::leaky_relu(x, NEGATIVE_SLOPE);
        }
        let slopes = Slopes::at(&x);
        let y = slopes.apply(x);
        self.trace.slopes[bias] = Some(slopes);
        y
    }
}

struct Replay<'a> {
    trace: &'a Trace,
    deltas: Vec<Option<Tensor<4>>>,
    gradients: Vec<Option<Tensor<1>>>,
}

impl Up for Replay<'_> {
    fn enter(&mut self, layer: &Layer, parameter: ParameterId, x: &Tensor<4>, context: &Context) {
        let delta = self.deltas[parameter].take().expect("the walk down met every parameter");
        self.gradients[parameter] = Some(gradient(layer, Some(x.clone()), delta, context));
    }

    fn activate(&mut self, bias: ParameterId, x: Tensor<4>) -> Tensor<4> {
        self.trace.slopes(bias).apply(x)
    }
}
