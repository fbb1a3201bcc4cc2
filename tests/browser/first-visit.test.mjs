import assert from "node:assert/strict";

import { story } from "./story.mjs";

story(
  "a first visit has text, controls and pictures at once, and live faces on WebGPU soon",
  { slow: (path) => (path.endsWith(".wasm") ? 2e6 : undefined) },
  async (scene, t) => {
    const { page } = scene;
    await page.goto(scene.url("?device=webgpu"), { waitUntil: "domcontentloaded" });
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    for (const control of ["new-faces", "seed-input", "walk-play", "mix-pad", "open-model", "theme-toggle"]) {
      assert.ok(await scene.get(control).isVisible(), `${control} is there before the wasm is`);
    }
    await page.waitForFunction(() => document.querySelector("[data-testid=poster]").naturalWidth > 0);
    assert.equal(await page.locator("body").getAttribute("data-state"), "loading");

    await scene.live();
    t.diagnostic(`${(await page.evaluate(() => performance.now() / 1000)).toFixed(1)} s to live faces`);
    assert.match(await scene.text("device-badge"), /WebGPU/);
    const first = await scene.picture("sample-canvas");
    assert.ok(first.colours > 200, `a picture with ${first.colours} colours`);

    await scene.get("new-faces").click();
    const second = await scene.changed("sample-canvas", first);
    assert.ok(second.colours > 200);
  },
);

story("where the only adapter is software, the CPU is chosen and the badge says why", {}, async (scene) => {
  await scene.visit();
  await scene.live();
  assert.match(await scene.text("device-badge"), /CPU/);
  assert.match(await scene.text("device-badge"), /imitates a GPU/);
});
