// ONNX Runtime Web on a generator that r3gan_onnx.py has written: its WebGPU provider, or its CPU in wasm.

import { timed } from "/bench/line.js";

const FOLDER = "/peers/node_modules/onnxruntime-web/dist/";

async function open({ preset, device, threads }, model) {
  const ort = await import(`${FOLDER}ort.${device === "webgpu" ? "webgpu" : "wasm"}.bundle.min.mjs`);
  ort.env.wasm.wasmPaths = FOLDER;
  ort.env.wasm.numThreads = threads;
  if (threads > 1 && !crossOriginIsolated) throw new Error("threads take a page that is isolated");
  const executionProviders = [device === "webgpu" ? "webgpu" : "wasm"];
  const session = await ort.InferenceSession.create(model, { executionProviders, graphOptimizationLevel: "all" });
  return () => run(ort, session, preset === "cifar10" ? 10 : 0);
}

/** One picture's values, read back. */
async function run(ort, session, classes) {
  // The sum of twelve uniform numbers is about normal, which is all that time asks for.
  const normal = () => Array.from({ length: 12 }, Math.random).reduce((sum, value) => sum + value, -6);
  const feeds = { z: new ort.Tensor("float32", Float32Array.from({ length: 64 }, normal), [1, 64]) };
  if (classes) feeds.y = new ort.Tensor("float32", Float32Array.from({ length: classes }, (_, i) => Number(i === 0)), [1, classes]);
  const start = performance.now();
  const { x } = await session.run(feeds);
  const values = await x.getData();
  const seconds = (performance.now() - start) / 1000;
  if (!values.every(Number.isFinite)) throw new Error("a value is not finite");
  return seconds;
}

async function fetched({ preset }) {
  const response = await fetch(`/onnx/${preset}.onnx`);
  if (!response.ok) throw new Error(`there is no target/peers/onnx/${preset}.onnx: r3gan_onnx.py writes it`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Seconds of each sample. */
export async function sample(job) {
  const once = await open(job, await fetched(job));
  return timed(once, job);
}

/** Seconds from nothing to the first sample: the library, its wasm, the device, the model. */
export async function first(job) {
  const model = await fetched(job);
  const start = performance.now();
  const once = await open(job, model);
  await once();
  return (performance.now() - start) / 1000;
}
