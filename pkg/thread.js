/**
 * A core that is lent to another worker's module: an instance with the same memory, which computes what its pool is given.
 *
 * Message in: `{ module, memory }`. Messages out: `{}` when it is about to compute, `{ error }` if it failed.
 */

import { describe } from "./failure.js";
import { initSync, runThread } from "./wasm/r3gan_cpu.js";

addEventListener("message", ({ data: { module, memory } }) => {
  try {
    initSync({ module, memory });
    postMessage({});
    runThread();
  } catch (error) {
    postMessage({ error: describe(error) });
  }
});
