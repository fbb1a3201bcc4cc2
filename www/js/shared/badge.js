// The badge in the header: what computes here, and why.

import { deviceTitle } from "./device.js";

/**
 * @param {"webgpu" | "cpu"} device
 * @param {import("../../pkg/index.js").Capabilities} able
 */
export function showDevice(device, able) {
  const badge = document.getElementById("device-badge");
  badge.dataset.device = device;
  document.body.dataset.device = device;
  badge.querySelector(".badge-title").textContent = deviceTitle(device, able);
  const reason = device === able.device ? able.reason : `The address of this page asks for ${device === "cpu" ? "the CPU" : "WebGPU"}.`;
  badge.querySelector(".badge-reason").textContent = device === "cpu" ? `${reason} ${coresTitle(able.threads)}` : reason;
}

function coresTitle(threads) {
  if (threads > 1) return `Up to ${threads} of its cores compute.`;
  // The service worker isolates what it serves.
  const later = !globalThis.crossOriginIsolated && navigator.serviceWorker && navigator.hardwareConcurrency > 1;
  return later ? "One of its cores computes; where the browser can, all do after this page is loaded again." : "One of its cores computes.";
}
