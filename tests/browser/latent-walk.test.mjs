import assert from "node:assert/strict";

import { story } from "./story.mjs";

story("the walk moves in small steps, stops, and goes on", {}, async (scene, t) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  await scene.openFaces();
  await scene.until("the walk can start", () => scene.get("walk-play").getAttribute("aria-disabled"), (value) => value !== "true");

  await scene.get("walk-play").click();
  const frames = await page.evaluate(collectFrames, { selector: "[data-testid=portrait-canvas]", seconds: 6 });
  t.diagnostic(`${(frames.length / 6).toFixed(1)} frames a second of 16x16 on the CPU`);
  assert.ok(frames.length >= 30, `${frames.length} frames in 6 s`);
  const steps = frames.slice(1).map((frame, i) => distance(frame, frames[i]));
  const whole = Math.max(...frames.map((frame) => distance(frame, frames[0])));
  assert.ok(whole > 10, `the picture changes: ${whole.toFixed(1)} levels`);
  steps.sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length * 0.9)];
  assert.ok(usual < whole / 2, `steps of ${usual.toFixed(1)} levels on a way of ${whole.toFixed(1)}`);

  await scene.get("walk-play").click();
  await scene.until(
    "the walk stands still",
    async () => {
      const one = await scene.picture("portrait-canvas");
      await page.waitForTimeout(500);
      return one.digest === (await scene.picture("portrait-canvas")).digest;
    },
  );
  const stopped = await scene.picture("portrait-canvas");
  await scene.get("walk-play").click();
  await scene.until("it walks on", () => scene.picture("portrait-canvas"), ({ digest }) => digest !== stopped.digest);
});

/** In the page: the different pictures that a canvas shows in some seconds, in 16x16 grey levels. */
function collectFrames({ selector, seconds }) {
  const canvas = document.querySelector(selector);
  const small = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true });
  const frames = [];
  return new Promise((resolve) => {
    const end = performance.now() + seconds * 1000;
    const look = () => {
      small.drawImage(canvas, 0, 0, 16, 16);
      const { data } = small.getImageData(0, 0, 16, 16);
      const grey = Array.from({ length: 256 }, (_, i) => (data[i * 4] + data[i * 4 + 1] + data[i * 4 + 2]) / 3);
      if (frames.length === 0 || frames.at(-1).some((value, i) => value !== grey[i])) frames.push(grey);
      if (performance.now() < end) requestAnimationFrame(look);
      else resolve(frames);
    };
    look();
  });
}

/** Mean difference in levels. */
function distance(a, b) {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}
