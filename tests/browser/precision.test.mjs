import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { FACES, packageModule } from "./site.mjs";
import { story } from "./story.mjs";

/** In the page: samples of seed 0 in each format, or the sentence that refuses it. */
async function inEach({ module, base64, device, formats }) {
  const { Sampler, capabilities } = await import(new URL(module, document.baseURI));
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const found = {};
  for (const precision of formats) {
    try {
      const sampler = await Sampler.load(bytes, { device, precision });
      const { pixels, values } = await sampler.sample({ seeds: [0, 1], values: true });
      found[precision] = { pixels: Array.from(pixels), values: Array.from(values) };
      sampler.dispose();
    } catch (error) {
      found[precision] = { refused: `${error.name}: ${error.message}` };
    }
  }
  return { ...found, f16InShaders: (await capabilities()).f16 };
}

/** The largest difference of two lists. */
function apart(some, others) {
  assert.equal(some.length, others.length);
  return some.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);
}

const isF16 = (value) => value === Math.fround(value) && (value === 0 || Math.abs(value) < 2 ** -14 || Number.isInteger((value / 2 ** Math.floor(Math.log2(Math.abs(value)))) * 2 ** 10));

for (const device of ["cpu", "webgpu"]) {
  story(`samples in half precision, on ${device}`, {}, async (scene, t) => {
    await scene.visit(`?device=${device}`);
    const base64 = (await readFile(FACES)).toString("base64");
    const formats = ["f32", "bf16", "f16", "f8"];
    const found = await scene.page.evaluate(inEach, { module: packageModule(), base64, device, formats });
    assert.equal(found.f8.refused, "SettingError: precision: there is no 'f8'; choose f32, bf16 or f16");
    const compare = (format, most, mostLevels) => {
      const values = apart(found.f32.values, found[format].values);
      const levels = apart(found.f32.pixels, found[format].pixels);
      t.diagnostic(`${format} is at most ${values.toExponential(1)} away from f32, ${levels} levels`);
      assert.ok(values > 0 && values < most && levels <= mostLevels, `${format}: ${values}, ${levels} levels`);
    };
    compare("bf16", 0.1, 8);
    if (device === "webgpu" && !found.f16InShaders) {
      assert.match(found.f16.refused, /^SettingError: precision: this device does not compute in f16/);
      t.diagnostic("this adapter has no f16");
    } else {
      compare("f16", 0.005, 1);
      assert.ok(found.f16.values.every(isF16), "pictures are numbers of the format");
    }
  });
}
