/** The facade: see `index.d.ts` for what everything means. */

import { capabilities, knownCapabilities } from "./capabilities.js";
import { failure } from "./failure.js";
import { download } from "./fetching.js";
import { Job } from "./job.js";
import { moduleFor } from "./modules.js";

export { capabilities };

/** The device, and whether it may draw: a GPU that the CPU imitates gains nothing by it. */
async function chooseDevice(name = "auto") {
  if (name === "cpu") return { device: name, draws: false };
  if (name !== "auto" && name !== "webgpu") {
    throw failure("SettingError", `device: there is no '${name}'; choose auto, webgpu or cpu`);
  }
  const found = await capabilities();
  if (name === "webgpu" && !found.webgpu) throw failure("DeviceError", found.reason);
  const device = name === "webgpu" ? name : found.device;
  return { device, draws: device === "webgpu" && !found.adapter.software };
}

/** A list of whole numbers below 2^32. */
function words(values, name) {
  const list = Array.from(values);
  const broken = list.find((value) => !Number.isInteger(value) || value < 0 || value > 0xffff_ffff);
  if (broken !== undefined) {
    throw failure("SettingError", `${name}: ${broken} is not a whole number from 0 to 4294967295`);
  }
  return list;
}

/** Seeds or latents, classes and what is to be returned, checked. */
function request({ seeds, latents, class: label, values = false, bitmap = false }) {
  if ((seeds === undefined) === (latents === undefined)) {
    throw failure("SettingError", "sample: give either seeds or latents");
  }
  if (latents !== undefined && !(latents instanceof Float32Array)) {
    throw failure("SettingError", "latents: must be a Float32Array of count x latent values");
  }
  const classes = label === undefined ? undefined : words([label].flat(), "class");
  return { seeds: seeds && words(seeds, "seeds"), latents, classes, values, bitmap: bitmap && !values };
}

function count(value, name, most) {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw failure("SettingError", `${name}: ${value} is not a whole number from 1 to ${most}`);
  }
  return value;
}

/** The most threads that an option allows. */
function threadsOf({ threads }) {
  return threads === undefined ? undefined : count(threads, "threads", 1024);
}

/** A file, or bytes in a buffer of their own, which may be moved to a worker. */
function own(source) {
  if (source instanceof Blob) return { source, transfer: [] };
  if (!(source instanceof ArrayBuffer) && !ArrayBuffer.isView(source)) {
    throw failure("InputError", "This is neither bytes nor a file.");
  }
  const view = source instanceof ArrayBuffer ? new Uint8Array(source) : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const copy = view.slice();
  return { source: copy, transfer: [copy.buffer] };
}

export class Sampler {
  #job;

  constructor(job, info) {
    this.#job = job;
    this.info = Object.freeze(info);
    this.lost = job.lost;
  }

  static async load(source, options = {}) {
    const { signal, onProgress, precision = "f32" } = options;
    const threads = threadsOf(options);
    const { device, draws } = await chooseDevice(options.device);
    const remote = typeof source === "string" || source instanceof URL;
    // Both downloads at once.
    const fetching = remote ? download(new URL(source, globalThis.location?.href), options) : Promise.resolve(source);
    fetching.catch(() => {});
    const job = await Job.start({ onProgress, signal, device, draws, threads });
    try {
      const name = remote ? String(source).split(/[/?#]/).filter(Boolean).pop() : (source?.name ?? "the model");
      const { source: bytes, transfer } = own(await fetching);
      const info = await job.call("openSampler", { source: bytes, name, precision }, transfer);
      return new Sampler(job, { ...info, device, threads: job.threads });
    } catch (error) {
      job.end();
      throw error;
    }
  }

  async latents(seeds) {
    return this.#job.call("latents", { seeds: words(seeds, "seeds") });
  }

  async sample(options) {
    return this.#job.call("sample", request(options));
  }

  async interpolate(options) {
    const anchors = options.seeds?.length ?? (options.latents?.length ?? 0) / this.info.latent;
    const rows = options.weights;
    if (!Array.isArray(rows) || !rows.length || rows.some((row) => row.length !== anchors)) {
      throw failure("SettingError", `weights: every sample needs a row of ${anchors} weights, one for each anchor`);
    }
    return this.#job.call("interpolate", { ...request(options), weights: Float32Array.from(rows.flat()) });
  }

  dispose() {
    this.#job.end();
  }

  [jobOf()]() {
    return this.#job;
  }
}

export class Trainer {
  #job;
  #device;

  constructor(job, info, device) {
    this.#job = job;
    this.#device = { device, threads: job.threads };
    this.#inform(info);
    this.lost = job.lost;
  }

  #inform(info) {
    this.info = Object.freeze({ ...info, ...this.#device });
    return this.info;
  }

  static async create(options) {
    const { preset, dataset, config = {}, seed = 0, labels = false, mirror = false, checkpoint } = options;
    words([seed], "seed");
    const { device } = await chooseDevice(options.device);
    const files = Array.isArray(dataset) ? dataset.map(({ name, bytes }) => ({ name, ...own(bytes) })) : null;
    const saved = checkpoint === undefined ? null : own(checkpoint);
    const { onProgress, signal } = options;
    const job = await Job.start({ onProgress, signal, device, threads: threadsOf(options) });
    try {
      const info = await job.call(
        "openTrainer",
        {
          options: { preset, config: Object.entries(config).map(([key, value]) => `${key}=${value}`), seed, labels, mirror },
          dataset: files ? files.map(({ name, source }) => ({ name, bytes: source })) : dataset,
          checkpoint: saved?.source,
        },
        [...(files ?? []), ...(saved ? [saved] : [])].flatMap(({ transfer }) => transfer),
      );
      return new Trainer(job, info, device);
    } catch (error) {
      job.end();
      throw error;
    }
  }

  async steps(number) {
    return this.#moved(await this.#job.call("steps", { count: count(number, "steps", 1_000_000) }));
  }

  async stepCritic() {
    return this.#moved(await this.#job.call("stepCritic"));
  }

  async stepGenerator() {
    return this.#moved(await this.#job.call("stepGenerator"));
  }

  #moved(stats) {
    this.info = Object.freeze({ ...this.info, images: stats.images });
    return stats;
  }

  async samples(number = 16) {
    return this.#job.call("samples", { count: count(number, "samples", 1024) });
  }

  async reals(number = 16) {
    return this.#job.call("reals", { count: count(number, "reals", 1024) });
  }

  async criticSurface(side, reach) {
    return this.#job.call("criticSurface", { side, reach });
  }

  async set(settings) {
    return this.#inform(await this.#job.call("set", settings));
  }

  async checkpoint() {
    return this.#job.call("checkpoint");
  }

  async restore(checkpoint) {
    const { source, transfer } = own(checkpoint);
    return this.#inform(await this.#job.call("restore", { checkpoint: source }, transfer));
  }

  async exportModel({ dtype = "f32" } = {}) {
    if (dtype !== "f32" && dtype !== "f16") throw failure("SettingError", `dtype: there is no '${dtype}'; choose f32 or f16`);
    return this.#job.call("exportModel", { half: dtype === "f16" });
  }

  async dataset() {
    return this.#job.call("dataset");
  }

  dispose() {
    this.#job.end();
  }

  [jobOf()]() {
    return this.#job;
  }
}

/** The key under which an object's worker is found, by this module only. */
function jobOf() {
  return (jobOf.key ??= Symbol("job"));
}

export async function presets() {
  // By the module that is needed anyway.
  const { device } = await knownCapabilities();
  const job = await Job.start({ device, opens: false });
  try {
    return await job.call("presets");
  } finally {
    job.end();
  }
}

export async function preload({ onProgress } = {}) {
  await moduleFor((await knownCapabilities()).device, onProgress);
}

export function loseDevice(job) {
  job[jobOf()]().call("loseDevice").catch(() => {});
}
