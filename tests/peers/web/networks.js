// The networks of `demo-32` and `points` as functions of TensorFlow.js: the same layers as r3gan_torch.py, channels last.

import { product, products } from "./products.js";

/** Stages from 4x4 upwards; every group of the 3x3 convolutions is 16 channels wide. */
const WIDTHS = { "demo-32": [128, 128, 128, 64] };
const GROUP = 16;
export const LATENT = 64;
const SLOPE = 0.2;
const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));

/**
 * Ways to write a grouped 3x3 convolution where no kernel has groups. Each has the shape of its weights, and gives
 * [B, H, W, G c] from [B, H, W, G c].
 */
const CONVOLUTIONS = {
  /** A convolution for each group. */
  groups: {
    shape: (groups) => [3, 3, GROUP, groups * GROUP],
    apply(tf, x, weight) {
      const groups = x.shape[3] / GROUP;
      const parts = tf.split(x, groups, 3);
      return tf.concat(tf.split(weight, groups, 3).map((kernel, at) => tf.conv2d(parts[at], kernel, 1, "same")), 3);
    },
  },
  /** Nine products, each of a shifted picture and the weights of that shift, for all groups at once. One by one they would be too many. */
  shifted: {
    shape: (groups) => [9, groups, GROUP, GROUP],
    apply: (tf, x, weight) => inGroups(tf, x, (windows) => tf.addN(tf.unstack(weight).map((kernel, at) => tf.matMul(windows[at], kernel)))),
  },
  /** One product of nine gathered pictures and all weights, for all groups at once. */
  gathered: {
    shape: (groups) => [groups, 9 * GROUP, GROUP],
    apply: (tf, x, weight) => inGroups(tf, x, (windows) => products(tf, tf.concat(windows, 2), weight)),
  },
};

/** `product` of the nine shifted pictures, each [G, B H W, c]. */
function inGroups(tf, x, product) {
  const [batch, height, width, channels] = x.shape;
  const groups = channels / GROUP;
  const byGroup = tf.transpose(tf.reshape(x, [-1, groups, GROUP]), [1, 0, 2]);
  const padded = tf.pad(tf.reshape(byGroup, [groups * batch, height, width, GROUP]), [[0, 0], [1, 1], [1, 1], [0, 0]]);
  const windows = Array.from({ length: 9 }, (_, at) => {
    const window = tf.slice(padded, [0, Math.floor(at / 3), at % 3, 0], [groups * batch, height, width, GROUP]);
    return tf.reshape(window, [groups, -1, GROUP]);
  });
  return tf.reshape(tf.transpose(product(windows), [1, 0, 2]), x.shape);
}

/**
 * A leaky ReLU whose gradient can be differentiated: TensorFlow.js's own compares inside its gradient, and finds no
 * gradient of that. Here the slopes are kept from the way forward, as constants.
 */
function activate(tf, x, bias) {
  const leaky = tf.customGrad((x, save) => {
    const slopes = tf.step(x, SLOPE);
    save([slopes]);
    return { value: tf.mul(x, slopes), gradFunc: (dy, [slopes]) => tf.mul(dy, slopes) };
  });
  return leaky(tf.add(x, bias));
}

/** The matrix that resamples a row of `from` pixels with [1, 3, 3, 1], zeros around: to twice as many, or half. */
function resampler(tf, from, up) {
  const rows = up ? 2 * from : from / 2;
  const taps = [1, 3, 3, 1];
  // Halving takes pixels 2i - 1 to 2i + 2 for i; doubling gives pixel i to them.
  const weight = (row, column) => taps[(up ? row - 2 * column : column - 2 * row) + 1] ?? 0;
  const values = Array.from({ length: rows * from }, (_, at) => weight(Math.floor(at / from), at % from) / (up ? 4 : 8));
  return tf.tensor(values, [rows, from]);
}

function resample(tf, x, matrix) {
  const columns = (x) => {
    const [batch, height, width, channels] = x.shape;
    return tf.reshape(products(tf, matrix, tf.reshape(x, [batch, height, width * channels])), [batch, -1, width, channels]);
  };
  const turned = (x) => tf.transpose(x, [0, 2, 1, 3]);
  return turned(columns(turned(columns(x))));
}

/** A network's weights, made in the order in which they are asked for. */
function weights(tf) {
  const all = [];
  const add = (value) => {
    all.push(tf.variable(value));
    return all.at(-1);
  };
  return {
    all,
    normal: (shape, fan, gain = 1) => add(tf.randomNormal(shape, 0, gain / Math.sqrt(fan))),
    zeros: (shape) => add(tf.zeros(shape)),
  };
}

/** A 1x1 convolution, as a product. */
const mix = (tf, x, weight) => tf.reshape(product(tf, tf.reshape(x, [-1, x.shape.at(-1)]), weight), [...x.shape.slice(0, -1), weight.shape[1]]);

function block(tf, w, width, depth, convolution) {
  const inner = 2 * width;
  const gain = GAIN * depth ** -0.25;
  const up = w.normal([width, inner], width, gain);
  const spread = w.normal(convolution.shape(inner / GROUP), 9 * GROUP, gain);
  const down = w.normal([inner, width], inner, 0.01);
  const biases = [w.zeros([inner]), w.zeros([inner])];
  return (x) => {
    const inside = activate(tf, convolution.apply(tf, activate(tf, mix(tf, x, up), biases[0]), spread), biases[1]);
    return tf.add(x, mix(tf, inside, down));
  };
}

function convolutional(tf, widths, convolution) {
  const sizes = widths.map((_, at) => 4 * 2 ** at);
  const changes = (w, list) => list.slice(1).map((width, at) => (width === list[at] ? null : w.normal([list[at], width], list[at])));

  const g = weights(tf);
  const basis = g.normal([1, 4, 4, widths[0]], 1);
  const project = g.normal([LATENT, widths[0]], LATENT);
  const grow = changes(g, widths);
  const up = sizes.slice(0, -1).map((size) => resampler(tf, size, true));
  const drawing = widths.map((width) => block(tf, g, width, widths.length, convolution));
  const rgb = g.normal([widths.at(-1), 3], widths.at(-1));
  const generator = (z) => {
    let x = drawing[0](tf.mul(basis, tf.reshape(product(tf, z, project), [-1, 1, 1, widths[0]])));
    for (const [at, matrix] of up.entries()) {
      x = drawing[at + 1](resample(tf, grow[at] ? mix(tf, x, grow[at]) : x, matrix));
    }
    return mix(tf, x, rgb);
  };

  const backwards = widths.toReversed();
  const d = weights(tf);
  const open = d.normal([3, backwards[0]], 3);
  const shrink = changes(d, backwards);
  const down = sizes.slice(1).toReversed().map((size) => resampler(tf, size, false));
  const judging = backwards.map((width) => block(tf, d, width, widths.length, convolution));
  const gather = d.normal([1, 4, 4, widths[0]], 16);
  const head = d.normal([widths[0], 1], widths[0]);
  const critic = (pictures) => {
    let x = judging[0](mix(tf, pictures, open));
    for (const [at, matrix] of down.entries()) {
      x = resample(tf, x, matrix);
      x = judging[at + 1](shrink[at] ? mix(tf, x, shrink[at]) : x);
    }
    return product(tf, tf.sum(tf.mul(x, gather), [1, 2]), head);
  };
  return { generator, critic, generatorWeights: g.all, criticWeights: d.all, sample: [sizes.at(-1), sizes.at(-1), 3] };
}

function perceptrons(tf) {
  const hidden = [256, 256, 256];
  const perceptron = (inputs, outputs) => {
    const w = weights(tf);
    const layers = hidden.map((width, at) => {
      const from = hidden[at - 1] ?? inputs;
      return { weight: w.normal([from, width], from, GAIN), bias: w.zeros([width]) };
    });
    const last = w.normal([hidden.at(-1), outputs], hidden.at(-1));
    const run = (x) => product(tf, layers.reduce((x, { weight, bias }) => activate(tf, product(tf, x, weight), bias), x), last);
    return { run, all: w.all };
  };
  const [g, d] = [perceptron(LATENT, 2), perceptron(2, 1)];
  return { generator: g.run, critic: d.run, generatorWeights: g.all, criticWeights: d.all, sample: [2] };
}

/** Both networks of a preset, with random weights. */
export function networks(tf, preset, formulation) {
  return preset === "points" ? perceptrons(tf) : convolutional(tf, WIDTHS[preset], CONVOLUTIONS[formulation]);
}
