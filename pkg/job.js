/**
 * One worker and the calls that it answers, one after the other.
 *
 * The worker holds the wasm module and the device. Ending it is the only sure way to end what runs and to free its
 * memory, so that is what `dispose` does; a worker that crashed is ended too. On the CPU other workers lend it their
 * cores, and end with it.
 */

import { failure } from "./failure.js";
import { giveUp, moduleFor, usualThreads } from "./modules.js";

/** Whether workers have a screen: `try` until the first one that draws has. */
let screens = "try";

/**
 * @typedef {{ device: "webgpu" | "cpu", opens?: boolean, draws?: boolean, threads?: number,
 *   onProgress?: import("./modules.js").Listener, signal?: AbortSignal }} Options
 */

/**
 * Errors of a start that may go better with other settings.
 * @type {WeakMap<Error, { threads?: number }>}
 */
const instead = new WeakMap();

export class Job {
  #worker;
  #threads = [];
  #next = 0;
  #calls = new Map();
  #ended = null;
  #tellLost;

  /** Resolves with a sentence if the device is lost. */
  lost = new Promise((resolve) => {
    this.#tellLost = resolve;
  });

  /** Threads that compute on the CPU, its worker's among them. */
  threads = 1;

  /**
   * Starts a worker and opens its device, unless it is only to choose the module.
   * @param {Options} options
   */
  static async start(options) {
    try {
      return await Job.#attempt(options);
    } catch (error) {
      const settings = instead.get(error);
      if (!settings || options.signal?.aborted) throw error;
      return Job.#attempt({ ...options, ...settings });
    }
  }

  /** @param {Options} options */
  static async #attempt({ device, opens = true, draws, threads, onProgress, signal }) {
    if (signal?.aborted) throw failure("AbortError", "It was cancelled before it began.");
    const job = new Job();
    const cancel = () => job.end(failure("AbortError", "It was cancelled."));
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const { module, name } = await moduleFor(device, onProgress, (name) => job.call("bind", { name }));
      const started = await job.call("start", { module, device: opens && device, screens: draws && screens }).catch((error) => {
        // Such as for memory that many share, of which there is less.
        if (error.name !== "AbortError" && giveUp(name)) instead.set(error, {});
        throw error;
      });
      if (draws) screens = started.screens;
      if (opens && started.memory) await job.#gather(module, started.memory, Math.min(threads ?? Infinity, usualThreads()));
      return job;
    } catch (error) {
      job.end(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Starts the other threads, and the pool of all. */
  async #gather(module, memory, count) {
    const start = () =>
      new Promise((resolve, reject) => {
        const thread = new Worker(new URL("./thread.js", import.meta.url), { type: "module", name: "r3gan thread" });
        this.#threads.push(thread);
        let ready = false;
        const fail = (name, message) => {
          const error = failure(name, message);
          // What the others wait for never comes.
          if (ready) return this.end(error);
          // Anew, and with one: a thread that is ended may leave the memory that it shares locked.
          instead.set(error, { threads: 1 });
          reject(error);
        };
        thread.onmessage = ({ data: { error } }) => {
          if (error) return fail(error.name, error.message);
          ready = true;
          resolve(null);
        };
        thread.onerror = (event) => {
          event.preventDefault?.();
          fail("CrashError", `A thread could not be started (${event.message ?? "its script failed"}).`);
        };
        thread.postMessage({ module, memory });
      });
    const id = this.#next++;
    const ended = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    try {
      await Promise.race([ended, Promise.all(Array.from({ length: count - 1 }, start))]);
    } finally {
      this.#calls.delete(id);
    }
    await this.call("pool", { threads: count });
    this.threads = count;
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
    for (const thread of this.#threads) thread.terminate();
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
