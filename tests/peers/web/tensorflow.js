// Training with TensorFlow.js: its WebGPU backend, its wasm backend, its plain JavaScript.

import { timed } from "/bench/line.js";
import { LATENT, networks } from "./networks.js";

const FOLDER = "/peers/node_modules/@tensorflow/";
const GAMMA = 0.05;

async function load(device, threads) {
  const script = (name) =>
    new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement("script"), { src: FOLDER + name, onload: resolve });
      element.onerror = () => reject(new Error(`${name} is not there: npm ci installs it`));
      document.head.append(element);
    });
  await script("tfjs/dist/tf.es2017.min.js");
  if (device !== "cpu") await script(`tfjs-backend-${device}/dist/tf-backend-${device}.es2017.min.js`);
  const { tf } = globalThis;
  if (device === "wasm") {
    tf.wasm.setWasmPaths(`${FOLDER}tfjs-backend-wasm/dist/`);
    tf.wasm.setThreadsCount(threads);
  }
  tf.enableProdMode();
  if (!(await tf.setBackend(device))) throw new Error(`TensorFlow.js does not start on ${device}`);
  await tf.ready();
  return tf;
}

/** What each player minimizes. The penalties are gradients of the critic, differentiated again. */
const OBJECTIVES = {
  /** Relativistic pairing, R1 and R2. */
  r3gan: {
    critic(tf, { generator, critic }, z, real) {
      // Both halves in one pass, which is fewer and larger kernels.
      const { value: logits, grad } = tf.valueAndGrad(critic)(tf.concat([real, generator(z)]));
      const [ofReal, ofFake] = tf.split(logits, 2);
      const penalty = tf.div(tf.sum(tf.square(grad)), real.shape[0]);
      return tf.add(tf.mean(tf.softplus(tf.sub(ofFake, ofReal))), tf.mul(GAMMA / 2, penalty));
    },
    generator(tf, { generator, critic }, z, real) {
      return tf.mean(tf.softplus(tf.sub(critic(real), critic(generator(z)))));
    },
  },
  /** Non-saturating loss and R1. */
  simple: {
    critic(tf, { generator, critic }, z, real) {
      const { value: ofReal, grad } = tf.valueAndGrad(critic)(real);
      const ofFake = critic(generator(z));
      const penalty = tf.div(tf.sum(tf.square(grad)), real.shape[0]);
      const loss = tf.add(tf.mean(tf.softplus(tf.neg(ofReal))), tf.mean(tf.softplus(ofFake)));
      return tf.add(loss, tf.mul(GAMMA / 2, penalty));
    },
    generator: (tf, { generator, critic }, z) => tf.mean(tf.softplus(tf.neg(critic(generator(z))))),
  },
};

/** Seconds of each critic step, generator step and of both, by the names of `r3gan bench`. */
export async function measure({ preset, batch, device, backend = device === "webgpu" ? "webgpu" : "wasm", threads, formulation = "shifted", objective = "r3gan", ...extent }) {
  const tf = await load(backend, threads);
  const pair = networks(tf, preset, formulation);
  const adam = () => tf.train.adam(2e-4, 0, 0.9, 1e-8);
  const players = [
    { loss: OBJECTIVES[objective].critic, weights: pair.criticWeights, optimizer: adam() },
    { loss: OBJECTIVES[objective].generator, weights: pair.generatorWeights, optimizer: adam() },
  ];

  const step = async ({ loss, weights, optimizer }) => {
    const z = tf.randomNormal([batch, LATENT]);
    const real = tf.randomUniform([batch, ...pair.sample], -1, 1);
    await Promise.all([z.data(), real.data()]);
    const start = performance.now();
    const value = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => loss(tf, pair, z, real), weights);
      optimizer.applyGradients(grads);
      return value;
    });
    // The loss, and a weight: what was queued after the loss has ended too.
    const [[found]] = await Promise.all([value.data(), weights.at(-1).data()]);
    const seconds = (performance.now() - start) / 1000;
    tf.dispose([value, z, real]);
    if (!Number.isFinite(found)) throw new Error(`the loss is ${found}`);
    return seconds;
  };

  const found = { critic: [], generator: [], iteration: [] };
  let tensors = 0;
  const once = async () => {
    const [critic, generator] = [await step(players[0]), await step(players[1])];
    found.critic.push(critic);
    found.generator.push(generator);
    const now = tf.memory().numTensors;
    if (found.critic.length > 2 && now > tensors) throw new Error("tensors are left behind");
    tensors = now;
    return critic + generator;
  };
  found.iteration = await timed(once, extent);
  // The parts of the same runs, without those that warmed up.
  for (const part of ["critic", "generator"]) found[part] = found[part].slice(-found.iteration.length);
  return found;
}
