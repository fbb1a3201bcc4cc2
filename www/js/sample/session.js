// One open model. A device that is lost, or a worker that crashed, is replaced, and the call is asked again.

import { Sampler } from "../../pkg/index.js";

const OFTEN = 3; // losses within a minute after which the CPU takes over

export class Session {
  #file;
  #device;
  #tell;
  /** @type {Promise<Sampler>} */
  #sampler;
  /** The one that works, as far as is known. */
  #current = null;
  #disposed = false;
  #losses = [];

  /**
   * @param {Blob} file
   * @param {{ device: import("../../pkg/index.js").DeviceName, signal?: AbortSignal,
   *   onProgress?: (progress: import("../../pkg/index.js").Progress) => void,
   *   onReplaced: (why: string, info: import("../../pkg/index.js").ModelInfo) => void }} options
   */
  static async open(file, { device, signal, onProgress, onReplaced }) {
    const session = new Session();
    session.#file = file;
    session.#device = device;
    session.#tell = onReplaced;
    session.#sampler = Sampler.load(file, { device, signal, onProgress });
    session.#adopt(await session.#sampler);
    return session;
  }

  /** @type {import("../../pkg/index.js").ModelInfo} */
  info;

  // Where it can, a picture stays on the GPU that made it.

  /** @param {import("../../pkg/index.js").SampleRequest} request */
  sample(request) {
    return this.#call("sample", { ...request, bitmap: true });
  }

  /** @param {import("../../pkg/index.js").MixRequest} request */
  interpolate(request) {
    return this.#call("interpolate", { ...request, bitmap: true });
  }

  dispose() {
    this.#disposed = true;
    this.#sampler.then((sampler) => sampler.dispose(), () => {});
  }

  #adopt(sampler) {
    this.#current = sampler;
    this.info = sampler.info;
    sampler.lost.then((why) => this.#replace(sampler, why).catch(() => {}));
  }

  async #call(method, request) {
    const sampler = await this.#sampler;
    try {
      return await sampler[method](request);
    } catch (error) {
      const broken = error.name === "DeviceLostError" || error.name === "CrashError";
      if (!broken || this.#disposed) throw error;
      const next = await this.#replace(sampler, error.message);
      return next[method](request);
    }
  }

  /** Several calls may find the same sampler broken; the first one replaces it. */
  async #replace(broken, why) {
    if (broken !== this.#current || this.#disposed) return this.#sampler;
    this.#current = null;
    broken.dispose();
    const now = performance.now();
    this.#losses = [...this.#losses.filter((then) => now - then < 60_000), now];
    if (this.#losses.length >= OFTEN) this.#device = "cpu";
    this.#sampler = this.#again();
    const next = await this.#sampler;
    this.#adopt(next);
    if (this.#disposed) next.dispose();
    else this.#tell(why, next.info);
    return next;
  }

  async #again() {
    try {
      return await Sampler.load(this.#file, { device: this.#device });
    } catch (error) {
      if (this.#device === "cpu") throw error;
      this.#device = "cpu"; // the GPU does not come back
      return Sampler.load(this.#file, { device: "cpu" });
    }
  }
}
