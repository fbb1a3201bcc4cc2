import assert from "node:assert/strict";

import { moved, openTrain, start } from "./training.mjs";
import { story } from "./story.mjs";

const OFF = { webgpu: false };

story("with WebGPU switched off the CPU samples, and the page says how to get WebGPU", OFF, async (scene) => {
  const { page } = scene;
  await scene.visit();
  assert.equal(await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) ?? null), null, "there is no adapter");
  await scene.live();
  assert.match(await scene.text("device-badge"), /CPU/);
  assert.match(await scene.text("device-badge"), /WebGPU/);
  const before = await scene.settled("sample-canvas");
  assert.ok(before.colours > 50);
  await scene.get("new-faces").click();
  await scene.changed("sample-canvas", before);
});

story("with WebGPU switched off the CPU trains, and small networks are recommended", OFF, async (scene) => {
  await openTrain(scene, "");
  assert.match(await scene.text("train-start-note"), /CPU/);
  await start(scene);
  assert.match(await scene.text("train-summary"), /on the CPU/);
  await moved(scene, 1000);
});

story("where a browser has no WebGPU at all, it is the same", OFF, async (scene) => {
  await scene.page.addInitScript(() => delete Navigator.prototype.gpu);
  await scene.visit();
  await scene.live();
  assert.match(await scene.text("device-badge"), /no WebGPU/);
});

story("a link that asks for WebGPU is answered in words where there is none", OFF, async (scene) => {
  await scene.visit("?device=webgpu", { webgpu: false });
  const state = await scene.until("it ends somewhere", () => scene.page.locator("body").getAttribute("data-state"), (now) => now !== "loading");
  const words = (await scene.text("status")) + (await scene.page.locator("#notes").textContent());
  assert.match(words + (await scene.text("device-badge")), /WebGPU/);
  if (state === "failed") assert.match(words, /CPU|driver|browser/);
});
