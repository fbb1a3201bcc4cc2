import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { asRealGpu } from "./chromium.mjs";
import { alike } from "./pixels.mjs";
import { DIGITS, FACES, packageModule } from "./site.mjs";
import { story } from "./story.mjs";

const base64 = async (file) => (await readFile(file)).toString("base64");

/** In the page: the same samples as a bitmap and as pixels; how far they are apart, in levels. */
async function bothWays({ module, model, device, requests }) {
  const { Sampler } = await import(new URL(module, document.baseURI));
  const sampler = await Sampler.load(Uint8Array.from(atob(model), (c) => c.charCodeAt(0)), { device });
  const found = [];
  for (const { method, ...request } of requests) {
    const { pixels, count, width, height } = await sampler[method](request);
    const drawn = await sampler[method]({ ...request, bitmap: true });
    const { bitmap } = drawn;
    if (bitmap) {
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      drawn.pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    }
    found.push({
      drawn: bitmap ? [bitmap.width, bitmap.height] : null,
      shape: [drawn.count, drawn.width, drawn.height],
      same: drawn.count === count && drawn.width === width && drawn.height === height && drawn.pixels.length === pixels.length,
      colours: new Set(new Uint32Array(pixels.buffer)).size,
      apart: pixels.reduce((most, level, i) => Math.max(most, Math.abs(level - drawn.pixels[i])), 0),
      values: (await sampler[method]({ ...request, bitmap: true, values: true })).pixels.length === pixels.length,
    });
  }
  sampler.dispose();
  return found;
}

/** One, several, and more than go through the network at a time. */
const some = Array.from({ length: 19 }, (_, i) => i * 101);
const FACE_REQUESTS = [
  { method: "sample", seeds: [0] },
  { method: "sample", seeds: [7, 1, 4294967295] },
  { method: "sample", seeds: some },
  { method: "interpolate", seeds: [3, 4], weights: [[1, 0], [0.5, 0.5]] },
];
const DIGIT_REQUESTS = [{ method: "sample", seeds: some, class: some.map((seed) => seed % 10) }];

for (const { device, canvas } of [
  { device: "webgpu", canvas: true },
  { device: "webgpu", canvas: false },
  { device: "cpu", canvas: true },
]) {
  const drawn = device === "webgpu" && canvas;
  const where = canvas ? device : `${device} that no canvas can show`;
  story(`a bitmap has the pixels that are read back, on ${where}`, { canvas }, async (scene) => {
    await scene.page.addInitScript(asRealGpu);
    await scene.visit(`?device=${device}`);
    await scene.live();
    for (const [file, requests] of [[FACES, FACE_REQUESTS], [DIGITS, DIGIT_REQUESTS]]) {
      const found = await scene.page.evaluate(bothWays, { module: packageModule(), model: await base64(file), device, requests });
      found.forEach(({ drawn: size, shape: [count, width, height], same, colours, apart, values }, i) => {
        assert.deepEqual(size, drawn ? [width, count * height] : null, "drawn on the GPU where that can be");
        assert.ok(same && colours > 50 && values, `samples of ${JSON.stringify(requests[i])}`);
        assert.ok(apart <= 1, `${apart} levels apart`);
      });
    }
    assert.doesNotMatch((await scene.text("status")) + (await scene.page.locator("#notes").textContent()), /taken away/);
  });
}

story("gallery, portrait, walk and mixture show what a GPU drew", { canvas: true, timeout: 480_000 }, async (scene, t) => {
  const { page } = scene;
  await page.addInitScript(asRealGpu);
  const open = async (device) => {
    await scene.visit(`?device=${device}&count=6`);
    await scene.live();
    await scene.openFaces();
    return { gallery: await scene.settled("sample-canvas"), portrait: await scene.settled("portrait-canvas") };
  };
  const read = await open("cpu");
  await page.addInitScript(() => {
    const { drawImage } = CanvasRenderingContext2D.prototype;
    globalThis.bitmaps = 0;
    CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
      if (image instanceof ImageBitmap) globalThis.bitmaps += 1;
      return drawImage.call(this, image, ...rest);
    };
  });
  const drawn = await open("webgpu");
  const count = () => page.evaluate(() => globalThis.bitmaps);
  t.diagnostic(`${await count()} pictures were drawn on the GPU`);
  assert.ok((await count()) >= 6);
  assert.ok(alike(drawn.gallery, read.gallery) && alike(drawn.portrait, read.portrait), "the same as from the CPU");

  const before = await count();
  await scene.get("walk-play").click();
  const walked = await scene.until("the walk moves", () => scene.picture("portrait-canvas"), ({ digest }) => digest !== drawn.portrait.digest);
  assert.ok(walked.colours > 100 && (await count()) > before);
  await scene.get("walk-play").click();
  await scene.get("mix-pad").scrollIntoViewIfNeeded();
  await scene.until("a mixture is drawn", () => scene.picture("mix-canvas"), ({ colours }) => colours > 20);
});
