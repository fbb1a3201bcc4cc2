/**
 * The worker behind one `Sampler` or one `Trainer`: it owns a wasm module, a device, and the object.
 *
 * Messages in: `{ id, method, args }`. Messages out: `{ id, result }`, `{ id, error }`, and `{ lost }` once.
 */

import { describe } from "./failure.js";
import { Screen, screenWorks } from "./screen.js";

/** What wasm-bindgen made for each module. */
const BINDINGS = {
  r3gan: () => import("./wasm/r3gan.js"),
  r3gan_cpu: () => import("./wasm/r3gan_cpu.js"),
};

let bindings = null;
let handle = null;
let wasm = null;
let subject = null;
/** What a sampler says of its model. */
let info = null;
/** The zip of a data set of loose pictures, or the files that it came in. */
let pictures = null;
let gpu = null;
/** What draws samples; null where they are read back. */
let screen = null;

/**
 * Keeps hold of the GPUDevice that the module opens: the page must hear of its loss and of exhausted memory, and
 * the module's own layers turn both into panics or silence.
 */
function watchDevices() {
  if (!globalThis.GPUAdapter) return;
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    gpu = device;
    device.lost.then(({ message }) => {
      tellLost("DeviceLostError", `The GPU was taken away${message ? ` (${message.trim()})` : ""}.`);
    });
    device.addEventListener("uncapturederror", ({ error }) => {
      if (error instanceof GPUOutOfMemoryError) {
        tellLost("OutOfMemoryError", "The GPU is out of memory; use a smaller batch or a smaller network.");
      }
    });
    return device;
  };
}

let told = false;
function tellLost(name, message) {
  if (told) return;
  told = true;
  postMessage({ lost: { name, message } });
}

const methods = {
  /** Loads what a module of this name is used through. */
  async bind({ name }) {
    bindings = await BINDINGS[name]();
  },

  /** Tells whether there is a screen, if that was asked, and the memory that threads can share. */
  async start({ module, device, screens }) {
    [wasm, screens] = await Promise.all([bindings.default({ module_or_path: module }), screens === "try" ? screenWorks() : screens]);
    watchDevices();
    if (device) handle = await bindings.open(device);
    try {
      if (screens) screen = new Screen(gpu);
    } catch {
      screens = false;
    }
    return { screens, memory: globalThis.crossOriginIsolated && bindings.startPool ? wasm.memory : null };
  },

  /** Computes with so many threads, this one among them. */
  pool: ({ threads }) => bindings.startPool(threads),

  presets: () => bindings.presets(),

  /** A file is read here, so that the page does not wait for it. */
  async openSampler({ source, name, precision }) {
    const bytes = await read(source);
    subject = new bindings.Sampler(handle, bytes, name, precision);
    info = subject.info();
    return info;
  },

  latents: ({ seeds }) => subject.latents(Uint32Array.from(seeds)),

  sample: (request) => made(latentsOf(request), request),
  interpolate: (request) => made(subject.mix(latentsOf(request), request.weights), request),

  async openTrainer({ options, dataset, checkpoint }) {
    pictures = null;
    let source = dataset;
    if (Array.isArray(dataset) && dataset.every(({ name }) => /\.(png|jpe?g|json)$/i.test(name))) {
      // One zip, as it is kept and as it goes on natively: the same bytes are the same data set.
      const bytes = bindings.archive(dataset);
      source = [{ name: "pictures.zip", bytes }];
    }
    if (Array.isArray(source) && source.length === 1 && source[0].name.toLowerCase().endsWith(".zip")) {
      pictures = source[0].bytes;
    }
    subject = new bindings.Trainer(handle, options, source, checkpoint ? await read(checkpoint) : undefined);
    return subject.info();
  },

  steps: ({ count }) => timed(() => subject.steps(count)),
  stepCritic: () => timed(() => subject.stepCritic()),
  stepGenerator: () => timed(() => subject.stepGenerator()),
  samples: ({ count }) => subject.samples(count),
  reals: ({ count }) => subject.reals(count),
  criticSurface: ({ side, reach }) => subject.criticSurface(side, reach),

  set({ gamma, learningRate, batch }) {
    subject.set(gamma, learningRate, batch);
    return subject.info();
  },

  checkpoint: () => subject.checkpoint(),

  async restore({ checkpoint }) {
    subject.restore(await read(checkpoint));
    return subject.info();
  },

  exportModel: ({ half }) => subject.exportModel(half),
  dataset: () => pictures?.slice() ?? null,

  loseDevice() {
    if (gpu) gpu.destroy();
    else tellLost("DeviceLostError", "The device was taken away.");
  },
};

const latentsOf = ({ seeds, latents }) => latents ?? subject.latents(Uint32Array.from(seeds));

/** Samples of latents: as a bitmap if that is asked for and can be had, else as pixels. */
async function made(latents, { classes, values, bitmap }) {
  const labels = classes && Uint32Array.from(classes);
  return (bitmap && screen && (await drawn(latents, labels))) || subject.sample(latents, labels, values);
}

/** Null where no screen takes them. */
async function drawn(latents, labels) {
  const count = latents.length / info.latent;
  if (!screen.holds(info.width, count * info.height)) return null;
  const found = subject.draw(latents, labels);
  if (!found) return null;
  const { buffer, offset, ...samples } = found;
  try {
    return { ...samples, bitmap: await screen.bitmap(buffer, offset, samples.width, samples.count * samples.height) };
  } catch {
    // Reading back says what is wrong, if it fails too.
    screen = null;
    return null;
  }
}

async function read(source) {
  return source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : new Uint8Array(source);
}

/** Adds time and memory to the statistics of some steps. */
async function timed(work) {
  const before = subject.images;
  const began = performance.now();
  const stats = await work();
  const seconds = (performance.now() - began) / 1000;
  const [used = null, reserved = null] = handle.memory();
  return {
    ...stats,
    seconds,
    imagesPerSecond: seconds > 0 ? (stats.images - before) / seconds : 0,
    memory: { used, reserved, wasm: wasm.memory.buffer.byteLength },
  };
}

/** Buffers and bitmaps that can be moved to the page instead of being copied. */
function transferable(result) {
  const parts = [result, ...Object.values(result ?? {})];
  const buffers = parts.filter(ArrayBuffer.isView).map(({ buffer }) => buffer);
  return [...buffers.filter((buffer) => buffer !== wasm?.memory.buffer), ...parts.filter((part) => part instanceof ImageBitmap)];
}

/** The call that runs; a trap inside a promise of the module never settles it. */
let running = null;

async function answer({ id, method, args }) {
  running = id;
  if (wasm) bindings.keepAwake?.(true);
  try {
    const result = await methods[method](args);
    postMessage({ id, result }, { transfer: transferable(result) });
  } catch (error) {
    await fail(id, error);
  } finally {
    if (wasm) bindings.keepAwake?.(false);
    running = null;
  }
}

async function fail(id, error) {
  const described = describe(error);
  if (described.fatal || described.name === "DeviceLostError") {
    // A lost device shows as a trap or a failed read first; its own message is the better one.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  postMessage({ id, error: described });
}

for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    if (running !== null) fail(running, event.reason ?? event.error ?? event);
  });
}

/** The object is used by one call at a time. */
let queue = Promise.resolve();
addEventListener("message", ({ data }) => {
  if (data.method === "loseDevice") methods.loseDevice();
  else queue = queue.then(() => answer(data));
});
