/**
 * The wasm modules: `r3gan` runs in every browser, on the GPU or on one core; `r3gan_cpu` on all cores, a third faster on
 * each, where the browser lets workers share memory and adds in the same instruction as it multiplies. They answer the
 * same calls.
 */

import { failure } from "./failure.js";
import { count, get } from "./fetching.js";

/** The most threads of a pool: small networks do not keep more busy. */
const MOST_THREADS = 16;

/** A module that multiplies and adds in one instruction (relaxed SIMD). */
const FUSED = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11,
]);

/** As much memory as `r3gan_cpu` may come to need, in pages of 64 KiB. */
const MOST_MEMORY = 65536;

/** Whether this browser runs `r3gan_cpu`; false once it could not be loaded or started. */
let cores = runsOnCores();

function runsOnCores() {
  try {
    // Where it is not for sharing, or too much, this throws.
    new WebAssembly.Memory({ initial: 1, maximum: MOST_MEMORY, shared: true });
    return WebAssembly.validate(FUSED);
  } catch {
    return false;
  }
}

/** Threads that a job on the CPU has unless it is told a number; workers share memory in isolated pages alone. */
export function usualThreads() {
  return cores && globalThis.crossOriginIsolated ? Math.min(globalThis.navigator?.hardwareConcurrency ?? 1, MOST_THREADS) : 1;
}

/**
 * The name of the module for a device, and what is made ready for it at the same time.
 *
 * @template T
 * @param {string | undefined} device
 * @param {Listener | undefined} tell
 * @param {(name: string) => Promise<T>} [alongside]
 */
export async function moduleFor(device, tell, alongside) {
  const load = async (name) => {
    const [module] = await Promise.all([wasmModule(name, tell), alongside?.(name)]);
    return { name, module };
  };
  if (device !== "cpu" || !cores) return load("r3gan");
  try {
    return await load("r3gan_cpu");
  } catch (error) {
    // Without a network, it may be that only the other one was kept.
    if (error.name !== "NetworkError" && error.name !== "TypeError") throw error;
    const other = await load("r3gan");
    cores = false;
    return other;
  }
}

/** Takes the other module from now on, if there is one for a module that did not start. */
export function giveUp(name) {
  const other = name === "r3gan_cpu";
  if (other) cores = false;
  return other;
}

/** @typedef {(progress: import("./index.js").Progress) => void} Listener */

/**
 * Each module is fetched and compiled once for the page; workers share it.
 * @type {Map<string, { listeners: Listener[], promise: Promise<WebAssembly.Module> }>}
 */
const compiled = new Map();

function wasmModule(name, tell) {
  let found = compiled.get(name);
  if (!found) {
    const listeners = [];
    const promise = compile(name, listeners).catch((error) => {
      compiled.delete(name);
      if (error.name === "NetworkError") throw error;
      throw failure("NetworkError", `The wasm module could not be loaded (${error.message}); reload the page.`);
    });
    found = { listeners, promise };
    compiled.set(name, found);
  }
  if (tell) found.listeners.push(tell);
  return found.promise;
}

const ADDRESSES = {
  r3gan: new URL("./wasm/r3gan_bg.wasm", import.meta.url),
  r3gan_cpu: new URL("./wasm/r3gan_cpu_bg.wasm", import.meta.url),
};

/** @param {Listener[]} listeners */
async function compile(name, listeners) {
  const response = await get(ADDRESSES[name]);
  // The copy is counted; the original is compiled as it comes, and its code can be kept by the browser.
  const counted = count(response.clone(), "wasm", (progress) => listeners.forEach((tell) => tell(progress)));
  const streams = response.headers.get("content-type")?.startsWith("application/wasm");
  const module = streams
    ? await WebAssembly.compileStreaming(response)
    : await WebAssembly.compile(await response.arrayBuffer());
  await counted;
  return module;
}
