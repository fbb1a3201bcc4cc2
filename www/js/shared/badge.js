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
  badge.querySelector(".badge-reason").textContent =
    device === able.device ? able.reason : `The address of this page asks for ${device === "cpu" ? "the CPU" : "WebGPU"}.`;
}
