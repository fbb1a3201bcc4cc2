// What stories of the Train view have in common.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { encode } from "./png.mjs";
import { BINARY } from "./site.mjs";
import { PATIENCE } from "./story.mjs";

/** Opens the Train view and waits until a run can be started. */
export async function openTrain(scene, search = "?device=cpu") {
  await scene.visit(`${search}#train`);
  await ready(scene);
}

export function ready(scene) {
  const start = scene.get("train-start");
  return scene.until("training can start", async () => `${await start.getAttribute("aria-disabled")}`, (value) => value !== "true");
}

/** Fills the form. */
export async function choose(scene, { dataset, preset, batch, seed }) {
  if (dataset) await scene.page.getByTestId(`train-dataset-${dataset}`).check({ force: true });
  if (preset) await scene.get("train-preset").selectOption(preset);
  if (batch) await scene.get("train-batch").fill(String(batch));
  if (seed !== undefined) await scene.get("train-seed").fill(String(seed));
}

/** Starts what the form says, and waits until it has seen something. */
export async function start(scene) {
  await ready(scene);
  await scene.get("train-start").click();
  await scene.state("train", "running");
  return moved(scene, 0);
}

/** Types a value for `gamma` or `rate`; the run takes it with its next step. */
export async function type(scene, name, value) {
  const input = scene.get(`train-${name}`);
  await input.fill(String(value));
  await input.press("Tab");
}

/** Types a value for `gamma` or `rate` and waits until the run holds it. */
export async function set(scene, name, value) {
  await type(scene, name, value);
  await scene.page.locator(`#train-${name}-note`).getByText("Held at").waitFor();
}

/** Waits until the run has seen more than `before`. */
export function moved(scene, before, timeout = PATIENCE) {
  return scene.until("the run moves", () => scene.number("train-images"), (now) => now > before, timeout);
}

/** Pauses, waits until that is autosaved, and gives the images seen. */
export async function pause(scene) {
  await scene.get("train-pause").click();
  await scene.state("train", "paused");
  const seen = await scene.number("train-images");
  await scene.until("it is autosaved", () => scene.page.evaluate(autosavedImages), (saved) => saved === seen);
  return seen;
}

/** In the page: images of the run that lies in its private file system, null if there is none. */
export async function autosavedImages() {
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("training");
    const json = async (name) => JSON.parse(await (await (await folder.getFileHandle(name)).getFile()).text());
    const { description } = await json("current.json");
    return (await json(description.name)).images;
  } catch {
    return null;
  }
}

/** A legend's value: `critic`, `R1 (real)`, ... */
export async function curve(scene, label) {
  const items = await scene.get("train-charts").locator(".legend li").evaluateAll((all) => all.map((item) => Array.from(item.querySelectorAll("span:not(.line)"), (part) => part.textContent.trim())));
  const [, text] = items.find(([name]) => name.startsWith(label)) ?? assert.fail(`no curve ${label} in ${JSON.stringify(items)}`);
  return text === "–" ? null : Number(text);
}

/** Runs `r3gan`; gives what it printed. */
export async function native(args, folder) {
  const run = promisify(execFile)(BINARY, args, { cwd: folder, timeout: PATIENCE, maxBuffer: 1 << 24 });
  const { stdout, stderr } = await run.catch((error) => assert.fail(`r3gan ${args.join(" ")}: ${error.stderr || error}`));
  return stdout + stderr;
}

/** Pictures of one kind: a coloured disc on a ground, each different. */
export function discs(count, width, height = width) {
  return Array.from({ length: count }, (_, index) => {
    const [hue, x, y] = [(index * 37) % 256, (0.3 + ((index * 7) % 5) / 12) * width, (0.3 + ((index * 3) % 5) / 12) * height];
    const inside = (px, py) => (px - x) ** 2 + (py - y) ** 2 < (Math.min(width, height) / 3.5) ** 2;
    const buffer = encode(width, height, (px, py) => (inside(px, py) ? [hue, 255 - hue, 40] : [235, 235, 225]));
    return { name: `disc-${String(index).padStart(3, "0")}.png`, mimeType: "image/png", buffer };
  });
}
