// Measurements with the package, as anybody uses it. A time is what a caller waits for: what goes to and from the
// worker, reading back and turning values into pixels are part of it.

import { Sampler, Trainer, capabilities, presets } from "../../pkg/index.js";
import { line, timed } from "./line.js";
import { noise } from "./noise.js";

/**
 * @param {import("./jobs.js").Job} job
 * @returns {Promise<Record<string, unknown>>} a line
 */
export async function measure(job) {
  const able = await capabilities();
  const device = job.device === "auto" ? able.device : job.device;
  const { seconds, ...others } = await MEASURES[job.what](job, device);
  const { preset, what, batch } = job;
  const adapter = device === "webgpu" ? able.adapter?.description || able.adapter?.vendor : undefined;
  return line({ peer: "r3gan", preset, what, batch, device, adapter, ...others }, seconds);
}

const MEASURES = {
  sample,
  first,
  critic: (job, device) => train(job, device, (trainer) => trainer.stepCritic()),
  generator: (job, device) => train(job, device, (trainer) => trainer.stepGenerator()),
  iteration: (job, device) => train(job, device, (trainer) => trainer.steps(1)),
};

async function trainer(preset, batch, options) {
  const { side } = (await presets()).find(({ name }) => name === preset);
  const data = await noise(preset, side, batch);
  // As `r3gan bench`: no augmentation, and a gamma that changes nothing.
  const config = { batch, "augmentation.base": 0, "augmentation.end": 0, "gamma.base": 0.05, "gamma.end": 0.05 };
  return Trainer.create({ preset, config, ...options, ...data });
}

async function train(job, device, step) {
  const run = await trainer(job.preset, job.batch, { device, threads: job.threads });
  try {
    let memory;
    const seconds = await timed(async () => ({ memory } = await step(run)), job);
    return { seconds, threads: run.info.threads, peak_bytes: memory.reserved ?? memory.wasm };
  } finally {
    run.dispose();
  }
}

/** A model file with random weights: that of a trainer which has learned nothing. */
async function untrained(preset) {
  const run = await trainer(preset, 1, { device: "cpu", threads: 1 });
  try {
    return await run.exportModel({ dtype: "f32" });
  } finally {
    run.dispose();
  }
}

/** What `sample` is asked for. */
function request({ classes }, batch, run) {
  const seeds = Array.from({ length: batch }, (_, i) => run * batch + i);
  return { seeds, ...(classes && { class: seeds.map((seed) => seed % classes) }) };
}

async function sample(job, device) {
  const sampler = await Sampler.load(await untrained(job.preset), { device, threads: job.threads });
  try {
    return { threads: sampler.info.threads, seconds: await timed((run) => sampler.sample(request(sampler.info, job.batch, run)), job) };
  } finally {
    sampler.dispose();
  }
}

/** From nothing to the first sample: each run is a worker that has loaded no part of the package yet. */
async function first(job, device) {
  const model = await untrained(job.preset);
  let threads;
  const once = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./first.js", import.meta.url), { type: "module" });
      const end = (settle, value) => {
        worker.terminate();
        settle(value);
      };
      worker.onmessage = ({ data }) => {
        threads = data.threads;
        if (data.error) end(reject, new Error(data.error));
        else end(resolve, data.seconds);
      };
      worker.onerror = ({ message }) => end(reject, new Error(message || "a worker could not be started"));
      worker.postMessage({ model, device, threads: job.threads, batch: job.batch });
    });
  return { seconds: await timed(once, job), threads, model_bytes: model.byteLength };
}
