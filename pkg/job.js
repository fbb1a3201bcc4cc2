/**
 * One worker and the calls that it answers, one after the other.
 *
 * The worker holds the wasm module and the device. Ending it is the only sure way to end what runs and to free its
 * memory, so that is what `dispose` does; a worker that crashed is ended too.
 */

export function failure(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** Whether workers have a screen: `try` until the first one that draws has. */
let screens = "try";

/** The module is fetched and compiled once for the page; workers share it. */
let compiled = null;

/** @param {((progress: import("./index.js").Progress) => void)[]} listeners */
async function compile(listeners) {
  const address = new URL("./wasm/r3gan_bg.wasm", import.meta.url);
  const response = await get(address);
  // The copy is counted; the original is compiled as it comes, and its code can be kept by the browser.
  const counted = count(response.clone(), "wasm", (progress) => listeners.forEach((tell) => tell(progress)));
  const streams = response.headers.get("content-type")?.startsWith("application/wasm");
  const module = streams
    ? await WebAssembly.compileStreaming(response)
    : await WebAssembly.compile(await response.arrayBuffer());
  await counted;
  return module;
}

/** Fetches, with a sentence for everything that can go wrong. */
async function get(address, signal) {
  let response;
  try {
    response = await fetch(address, { signal });
  } catch {
    if (signal?.aborted) throw failure("AbortError", "The download was cancelled.");
    throw failure("NetworkError", `${address} could not be fetched: check the connection and try again.`);
  }
  if (!response.ok) {
    throw failure("NetworkError", `${address} could not be fetched: the server answered ${response.status}.`);
  }
  return response;
}

/** Reads a response and tells its bytes as they come. */
async function count(response, stage, tell) {
  // Of a compressed body the length says nothing.
  const packed = response.headers.get("content-encoding");
  const total = packed ? null : Number(response.headers.get("content-length")) || null;
  const chunks = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    if (stage === "model") chunks.push(value);
    loaded += value.byteLength;
    tell?.({ stage, loaded, total });
  }
}

/** The bytes at an address, as a file. */
export async function download(address, { onProgress, signal }) {
  const response = await get(address, signal);
  try {
    return new Blob(await count(response, "model", onProgress));
  } catch {
    if (signal?.aborted) throw failure("AbortError", "The download was cancelled.");
    throw failure("NetworkError", `${address} broke off while it was fetched: try again.`);
  }
}

export function wasmModule(tell) {
  if (!compiled) {
    const listeners = [];
    const promise = compile(listeners).catch((error) => {
      compiled = null;
      if (error.name === "NetworkError") throw error;
      throw failure("NetworkError", `The wasm module could not be loaded (${error.message}); reload the page.`);
    });
    compiled = { listeners, promise };
  }
  if (tell) compiled.listeners.push(tell);
  return compiled.promise;
}

export class Job {
  #worker;
  #next = 0;
  #calls = new Map();
  #ended = null;
  #tellLost;

  /** Resolves with a sentence if the device is lost. */
  lost = new Promise((resolve) => {
    this.#tellLost = resolve;
  });

  /**
   * Starts a worker and opens its device.
   * @param {{ onProgress?: Function, signal?: AbortSignal, device?: "webgpu" | "cpu", draws?: boolean }} options
   */
  static async start({ onProgress, signal, device, draws }) {
    if (signal?.aborted) throw failure("AbortError", "It was cancelled before it began.");
    const job = new Job();
    const cancel = () => job.end(failure("AbortError", "It was cancelled."));
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const module = await wasmModule(onProgress);
      if (draws) screens = await job.call("start", { module, device, screens });
      else await job.call("start", { module, device });
      return job;
    } catch (error) {
      job.end(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  constructor() {
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "r3gan" });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      this.end(failure("CrashError", `The worker could not be started (${event.message ?? "its script failed"}).`));
    };
  }

  #receive({ id, result, error, lost }) {
    if (lost) {
      this.#tellLost(lost.message);
      this.end(failure(lost.name, lost.message));
      return;
    }
    const call = this.#calls.get(id);
    if (!call) {
      result?.bitmap?.close(); // nobody waits for it
      return;
    }
    this.#calls.delete(id);
    if (error) {
      const problem = failure(error.name, error.message);
      call.reject(problem);
      // A trapped module is in no defined state.
      if (error.fatal) this.end(problem);
    } else {
      call.resolve(result);
    }
  }

  /** Asks the worker; `transfer` moves buffers instead of copying them. */
  call(method, args = {}, transfer = []) {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, args }, transfer);
    });
  }

  /** Ends the worker; what runs and what is asked later rejects with `error`. */
  end(error = failure("AbortError", "It was disposed of.")) {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
