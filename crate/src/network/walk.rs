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

use super::context::{Context, Source};
use super::{Layer, Network, ParameterId, Prepared, Weights};
use crate::kernels::{self, Finish, Slopes};
use crate::linear::{LinearMap, bias, embed, expect_labels, matrix, pointwise};

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

    /// The same with weights that were [prepared](Self::prepare).
    pub fn evaluate_prepared(
        &self,
        weights: &Prepared,
        x: Tensor<4>,
        labels: Option<&Tensor<2>>,
    ) -> Tensor<4> {
        let mut pass = Forward { keep: Keep::Nothing, trace: Trace::sized(self.parameters.len()) };
        up(&self.layers, x, &Context::new(Source::Prepared(weights), labels), &mut pass)
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
        let y = up(&self.layers, x, &Context::new(Source::Published(weights), labels), &mut pass);
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
        let context = Context::new(Source::Published(weights), labels);
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
        let context = Context::new(Source::Published(weights), labels);
        down(&self.layers, signal, &context, trace, &mut |_| {})
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
        let context = Context::new(Source::Published(weights), labels).with_bias_scale(bias_scale);
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
        let context = Context::new(Source::Published(weights), labels);
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

/// What differs between the walks that go up.
trait Up {
    /// Called with the input of every layer that has a parameter; an activation that is computed together with a linear map
    /// has that map's, since its gradient needs none.
    fn enter(&mut self, layer: &Layer, parameter: ParameterId, x: &Tensor<4>, context: &Context);
    /// The activation with `bias`, which is parameter `id`.
    fn activation(&self, id: ParameterId, bias: Tensor<4>) -> Finish<'_>;
    /// The slopes that it took, if it recorded them.
    fn keep(&mut self, id: ParameterId, slopes: Option<Slopes>);
}

fn up(layers: &[Layer], mut x: Tensor<4>, context: &Context, pass: &mut impl Up) -> Tensor<4> {
    let mut rest = layers;
    while let [layer, after @ ..] = rest {
        rest = after;
        let y = match layer {
            Layer::Linear { map, weight } => {
                pass.enter(layer, *weight, &x, context);
                let next = match after {
                    [next @ Layer::Activation { bias }, ..] if context.arithmetic.joins() => {
                        rest = &after[1..];
                        pass.enter(next, *bias, &x, context);
                        Some(*bias)
                    }
                    _ => None,
                };
                let finish = next.map_or(Finish::Nothing, |id| pass.activation(id, context.bias(id)));
                let (y, slopes) = context.apply(map, *weight, x, finish);
                next.into_iter().for_each(|id| pass.keep(id, slopes.clone()));
                y
            }
            Layer::Activation { bias } => {
                pass.enter(layer, *bias, &x, context);
                let (y, slopes) = kernels::finished(x, pass.activation(*bias, context.bias(*bias)));
                pass.keep(*bias, slopes);
                y
            }
            Layer::AppendLabel { embedding, classes, weight } => {
                pass.enter(layer, *weight, &x, context);
                let label = embed(context.labels, matrix(&context.weight(*weight), *embedding, *classes));
                Tensor::cat(vec![x, context.scaled(label)], 3)
            }
            // Its four means an axis are rounded once, not one by one.
            Layer::Resample(resample) => resample.apply(context.arithmetic.widen(x)),
            Layer::Residual(inner) => match inner.split_last() {
                Some((last @ Layer::Linear { map, weight }, before)) if context.arithmetic.joins() => {
                    let branch = up(before, x.clone(), context, pass);
                    pass.enter(last, *weight, &branch, context);
                    context.apply(map, *weight, branch, Finish::Add(x)).0
                }
                _ => x.clone() + up(inner, x, context, pass),
            },
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
    let mut rest = layers;
    while let [before @ .., layer] = rest {
        rest = before;
        let mut met = |layer: &Layer, parameter: &ParameterId, delta: &Tensor<4>| {
            meet(Signal { layer, parameter: *parameter, delta: delta.clone(), context });
        };
        let below = match layer {
            Layer::Linear { map, weight } => {
                met(layer, weight, &signal);
                match before {
                    [.., activation @ Layer::Activation { bias }] if context.arithmetic.joins() => {
                        rest = &before[..before.len() - 1];
                        let signal =
                            adjoint(map, *weight, signal, context, Finish::Slopes(trace.slopes(*bias)));
                        met(activation, bias, &signal);
                        signal
                    }
                    _ => adjoint(map, *weight, signal, context, Finish::Nothing),
                }
            }
            Layer::Activation { bias } => {
                let (signal, _) = kernels::finished(signal, Finish::Slopes(trace.slopes(*bias)));
                met(layer, bias, &signal);
                signal
            }
            Layer::AppendLabel { embedding, weight, .. } => {
                let width = signal.dims()[3] - embedding;
                met(layer, weight, &signal);
                signal.narrow(3, 0, width)
            }
            Layer::Resample(resample) => resample.adjoint(context.arithmetic.widen(signal)),
            Layer::Residual(inner) => match inner.split_first() {
                Some((first @ Layer::Linear { map, weight }, after)) if context.arithmetic.joins() => {
                    let branch = down(after, signal.clone(), context, trace, meet);
                    meet(Signal { layer: first, parameter: *weight, delta: branch.clone(), context });
                    adjoint(map, *weight, branch, context, Finish::Add(signal))
                }
                _ => signal.clone() + down(inner, signal, context, trace, meet),
            },
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

fn adjoint(
    map: &LinearMap,
    weight: ParameterId,
    signal: Tensor<4>,
    context: &Context,
    finish: Finish,
) -> Tensor<4> {
    map.adjoint(signal, &context.weight(weight), context.labels, finish)
}

/// The gradient of a layer's parameter from its input and the signal at its output; in f32, as the parameter is.
fn gradient(layer: &Layer, input: Option<Tensor<4>>, delta: Tensor<4>, context: &Context) -> Tensor<1> {
    let arithmetic = context.arithmetic;
    let gradient = match layer {
        Layer::Linear { map, .. } => {
            let input = input.expect("the forward pass kept no inputs");
            map.weight_gradient(input, delta, context.labels)
        }
        Layer::Activation { .. } => bias::gradient(delta, context.bias_scale.as_ref()),
        Layer::AppendLabel { embedding, .. } => {
            let width = delta.dims()[3] - embedding;
            let delta = context.scaled(delta.narrow(3, width, *embedding));
            let delta = pointwise::rows(delta).transpose();
            kernels::matrix_product(delta, expect_labels(context.labels).clone()).flatten(0, 1)
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

    fn activation(&self, _: ParameterId, bias: Tensor<4>) -> Finish<'_> {
        if self.keep == Keep::Nothing { Finish::Activate { bias } } else { Finish::Record { bias } }
    }

    fn keep(&mut self, id: ParameterId, slopes: Option<Slopes>) {
        self.trace.slopes[id] = slopes;
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

    fn activation(&self, id: ParameterId, bias: Tensor<4>) -> Finish<'_> {
        Finish::Replay { bias, slopes: self.trace.slopes(id) }
    }

    fn keep(&mut self, _: ParameterId, _: Option<Slopes>) {}
}
