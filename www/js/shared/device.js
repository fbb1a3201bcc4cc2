// What the page computes on.

import { capabilities } from "../../pkg/index.js";

/** `?device=webgpu|cpu`; everything else is "auto". */
export function deviceOption() {
  const asked = new URLSearchParams(location.search).get("device");
  return asked === "webgpu" || asked === "cpu" ? asked : "auto";
}

/** @type {ReturnType<typeof capabilities> | null} */
let asked = null;

/** What this browser can do, asked once. */
export function capabilitiesOnce() {
  asked ??= capabilities();
  return asked;
}

/** What "auto" or an explicit wish comes to, before anything runs. */
export function expectedDevice(able, wish = deviceOption()) {
  return wish === "auto" ? able.device : wish;
}

const VENDORS = { amd: "AMD", apple: "Apple", arm: "Arm", intel: "Intel", nvidia: "NVIDIA", qualcomm: "Qualcomm" };

/** A short name of a device: "CPU", "Apple GPU". */
export function deviceTitle(device, able) {
  if (device === "cpu") return "CPU";
  if (able?.adapter?.software) return "Software GPU";
  const vendor = VENDORS[able?.adapter?.vendor];
  return vendor ? `${vendor} GPU` : "GPU";
}
