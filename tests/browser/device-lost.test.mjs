import assert from "node:assert/strict";

import { asRealGpu } from "./chromium.mjs";
import { moved, openTrain, start } from "./training.mjs";
import { story } from "./story.mjs";

/** Keeps hold of the package's workers, so that a test can take their devices away as the package's `loseDevice` does. */
async function watchWorkers(page) {
  await page.addInitScript(() => {
    const { Worker } = globalThis;
    globalThis.jobs = [];
    globalThis.Worker = class extends Worker {
      constructor(address, options) {
        super(address, options);
        if (options?.name === "r3gan") globalThis.jobs.push(this);
      }
    };
  });
}

const lose = (page) => page.evaluate(() => globalThis.jobs.forEach((job) => job.postMessage({ method: "loseDevice", args: {} })));

/** Sampling goes on after a loss, whether samples are read back or drawn on the GPU. */
async function replaced(scene) {
  const { page } = scene;
  await watchWorkers(page);
  await scene.visit("?device=webgpu&count=6");
  await scene.live();
  await scene.openFaces();
  const before = await scene.settled("sample-canvas");
  const workers = await page.evaluate(() => globalThis.jobs.length);
  await lose(page);
  await scene.until("another worker", () => page.evaluate(() => globalThis.jobs.length), (now) => now > workers);
  await scene.until("it says so", async () => (await scene.text("status")) + (await page.locator("#notes").textContent()), (text) => /GPU was taken away/.test(text));
  await scene.get("new-faces").click();
  const after = await scene.changed("sample-canvas", before);
  assert.ok(after.colours > 100);
  await scene.live();
}

story("a GPU that is taken away while sampling is replaced", { timeout: 480_000 }, replaced);
story("a GPU that is taken away while drawing samples is replaced", { canvas: true, timeout: 480_000 }, async (scene) => {
  await scene.page.addInitScript(asRealGpu);
  await replaced(scene);
});

story("a GPU that is taken away while training: the run goes on from its last checkpoint", { timeout: 480_000 }, async (scene) => {
  const { page } = scene;
  await watchWorkers(page);
  await openTrain(scene, "?device=webgpu");
  await start(scene);
  await moved(scene, 1000);
  await lose(page);
  await scene.until("it says so", () => scene.text("train-message"), (text) => /GPU was taken away/.test(text));
  await scene.state("train", "running");
  const seen = await scene.number("train-images");
  await moved(scene, seen);
});
