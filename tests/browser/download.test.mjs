import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { canvasPixels } from "./pixels.mjs";
import { decode } from "./png.mjs";
import { FACES, packageModule } from "./site.mjs";
import { story } from "./story.mjs";

story("saved pictures hold the network's pixels, and look as on the screen", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu&count=6&seed=40");
  await scene.live();
  await scene.openFaces();
  await scene.until("pictures can be saved", () => scene.get("download-png").getAttribute("aria-disabled"), (value) => value !== "true");
  const seed = await scene.number("portrait-title");
  const sampled = await page.evaluate(sampleWithPackage, {
    module: packageModule(),
    base64: await readFile(FACES, "base64"),
    seeds: [0, 1, 2, 3, 4, 5].map((i) => seed + i),
  });
  const network = sampled.map((pixels) => Buffer.from(pixels));

  await page.locator('input[name="save-size"][value="1"]').check({ force: true });
  const one = await scene.download(() => scene.get("download-png").click());
  assert.match(one.name, /\.png$/);
  const small = decode(one.bytes);
  assert.deepEqual([small.width, small.height], [16, 16]);
  assert.ok(small.data.equals(network[0]), "the picture is the network's, pixel by pixel");

  const all = await scene.download(() => scene.get("download-grid").click());
  const grid = decode(all.bytes);
  assert.equal(grid.width * grid.height, 6 * 16 * 16);
  network.forEach((picture, i) => {
    const [left, top] = [(i % (grid.width / 16)) * 16, Math.floor(i / (grid.width / 16)) * 16];
    for (let y = 0; y < 16; y++) {
      const start = ((top + y) * grid.width + left) * 4;
      assert.ok(grid.data.subarray(start, start + 64).equals(picture.subarray(y * 64, y * 64 + 64)), `picture ${i}, row ${y}`);
    }
  });

  await page.locator('input[name="save-size"][value="8"]').check({ force: true });
  const large = decode((await scene.download(() => scene.get("download-png").click())).bytes);
  assert.ok(large.width >= 512);
  // The screen's canvas has another size: mean colours of 16 x 16 patches agree.
  const shown = await scene.get("portrait-canvas").evaluate(canvasPixels);
  const screen = patches({ ...shown, data: Buffer.from(shown.data, "base64") });
  const differences = patches(large).map((value, i) => Math.abs(value - screen[i]));
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  // Patches do not end at whole pixels on both, which shows at edges.
  assert.ok(mean < 1 && Math.max(...differences) < 12, `saved and shown differ by ${mean.toFixed(2)} levels, at most ${Math.max(...differences).toFixed(1)}`);
});

/** In the page: RGBA of samples, by the package. */
async function sampleWithPackage({ module, base64, seeds }) {
  const { Sampler } = await import(new URL(module, document.baseURI));
  const sampler = await Sampler.load(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), { device: "cpu" });
  const { pixels } = await sampler.sample({ seeds });
  sampler.dispose();
  const size = pixels.length / seeds.length;
  return seeds.map((_, i) => Array.from(pixels.subarray(i * size, (i + 1) * size)));
}

/** Mean levels of 16 x 16 parts of a picture. */
function patches({ width, height, data }) {
  const sums = new Float64Array(16 * 16 * 3);
  const counts = new Float64Array(16 * 16);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.floor((y * 16) / height) * 16 + Math.floor((x * 16) / width);
      counts[patch] += 1;
      for (let c = 0; c < 3; c++) sums[patch * 3 + c] += data[(y * width + x) * 4 + c];
    }
  }
  return Array.from(sums, (sum, i) => sum / counts[Math.floor(i / 3)]);
}
