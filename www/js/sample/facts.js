// What is known of the model that is open.

import { bytes, count, short } from "../shared/format.js";
import { capabilitiesOnce, deviceTitle } from "../shared/device.js";
import { forgetAll, keptBytes } from "../shared/download.js";
import { renderCard } from "./card.js";

const dialog = document.getElementById("card-dialog");
let cardAddress = null;

/**
 * @param {import("../../pkg/index.js").ModelInfo} info
 * @param {{ title: string, origin: string, licence?: string, card?: string | null }} source
 */
export async function showFacts(info, source) {
  const able = await capabilitiesOnce();
  document.getElementById("model-title").textContent = source.title;
  document.getElementById("model-origin").textContent = source.origin;
  const rows = [
    ["Preset", info.preset],
    ["Makes", info.channels === 2 ? "points in the plane" : `${info.width} × ${info.height} pixels${info.classes ? `, ${info.classes} classes` : ""}`],
    ["Parameters", `${short(info.parameters)} (${info.precision === "f16" ? "half" : "single"} precision)`],
    ["File", `${bytes(info.bytes)}${info.kind === "checkpoint" ? ", a checkpoint" : ""}`],
    ["Training", info.images > 0 ? `${count(info.images)} pictures seen` : "not known"],
    ["Runs on", deviceTitle(info.device, able)],
    ["Licence", source.licence || info.licence || "not stated"],
    ["SHA-256", `${info.sha256.slice(0, 16)}…`],
  ];
  const list = document.getElementById("facts");
  list.replaceChildren(
    ...rows.map(([name, value]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const words = document.createElement("dd");
      term.textContent = name;
      words.textContent = value;
      row.append(term, words);
      if (name === "SHA-256") words.title = info.sha256;
      return row;
    }),
  );
  cardAddress = source.card ?? null;
  document.getElementById("model-card").hidden = !cardAddress;
  await showKept();
}

/** What downloads take on this device. */
async function showKept() {
  const kept = await keptBytes();
  document.getElementById("kept").textContent = kept
    ? `Downloads kept on this device for the next visit: ${bytes(kept)}.`
    : "Nothing is kept on this device.";
  document.getElementById("forget").hidden = kept === 0;
}

export function installCard() {
  document.getElementById("forget").addEventListener("click", () => forgetAll().then(showKept));
  const open = document.getElementById("model-card");
  const text = document.getElementById("card-text");
  open.addEventListener("click", async () => {
    text.textContent = "Fetching…";
    dialog.showModal();
    try {
      const response = await fetch(cardAddress);
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      renderCard(text, await response.text());
    } catch (error) {
      text.textContent = `The text could not be fetched. ${error.message}`;
    }
  });
  document.getElementById("card-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
