/** What this browser can do: see `index.d.ts`. */

import { usualThreads } from "./modules.js";

const HOW =
  "WebGPU is in Chrome and Edge, in Safari from version 26, and in Firefox on Windows and macOS; the page must come over https or from this machine.";

/**
 * The last answer.
 * @type {Promise<import("./index.js").Capabilities> | undefined}
 */
let last;

/** Asks anew: a GPU may have come or gone. */
export function capabilities() {
  last = ask();
  return last;
}

/** What was found last, for whom a new adapter would only be a delay. */
export function knownCapabilities() {
  return last ?? capabilities();
}

/** @returns {Promise<import("./index.js").Capabilities>} */
async function ask() {
  const none = (reason) => ({
    webgpu: false,
    device: /** @type {const} */ ("cpu"),
    reason,
    adapter: null,
    limits: {},
    f16: false,
    subgroups: false,
    threads: usualThreads(),
  });
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) return none(`This browser has no WebGPU here, so networks run on the CPU. ${HOW}`);
  let adapter = null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch {
    // As without an adapter.
  }
  if (!adapter) {
    return none("This browser has WebGPU, but no GPU that it may use, so networks run on the CPU. An update of the graphics driver may help.");
  }
  const info = adapter.info ?? {};
  const software = Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter);
  const named = [info.description, info.vendor, info.architecture].filter(Boolean);
  const name = info.description || named.join(" ") || "this GPU";
  const limits = {};
  // The limits are getters of a prototype.
  for (const key in adapter.limits) {
    const value = adapter.limits[key];
    if (typeof value === "number") limits[key] = value;
  }
  return {
    webgpu: true,
    device: software ? "cpu" : "webgpu",
    reason: software
      ? `The only WebGPU device here is ${name}, which imitates a GPU on the CPU; networks run on the CPU directly.`
      : `Networks run on ${name} through WebGPU.`,
    adapter: {
      vendor: info.vendor ?? "",
      architecture: info.architecture ?? "",
      device: info.device ?? "",
      description: info.description ?? "",
      software,
    },
    limits,
    f16: adapter.features.has("shader-f16"),
    subgroups: adapter.features.has("subgroups"),
    threads: usualThreads(),
  };
}
