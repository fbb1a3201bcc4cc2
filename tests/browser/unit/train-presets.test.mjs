import assert from "node:assert/strict";
import test from "node:test";
import { readCheckpointHeader } from "../../../www/js/train/checkpoint-header.js";
import { fromSlider, toSlider } from "../../../www/js/train/controls.js";
import { compact, figure, logTicks } from "../../../www/js/train/figures.js";
import { fitting, recommended } from "../../../www/js/train/presets.js";
import { heat, normalize } from "../../../www/js/train/surface.js";

const PRESETS = [["demo-16", 16], ["demo-32", 32], ["demo-64", 64], ["points", 1], ["cifar10", 32]].map(([name, side]) => ({ name, side }));
const names = (content) => fitting(PRESETS, content).map(({ name }) => name);

test("only presets that fit are offered", () => {
  assert.deepEqual(names({ kind: "points" }), ["points"]);
  assert.deepEqual(names({ kind: "own" }), ["demo-16", "demo-32", "demo-64"]);
  assert.deepEqual(names({ kind: "pictures", side: 32 }), ["demo-32"]);
  assert.deepEqual(names({ kind: "pictures", side: 28 }), ["demo-32"], "an even frame makes 28 to 32");
  assert.deepEqual(names({ kind: "pictures", side: 27 }), [], "an uneven one does not exist");
  assert.deepEqual(names({ kind: "pictures", side: 640 }), []);
  assert.deepEqual(names({ kind: "pictures", side: null }), []);
});

test("a CPU begins small", () => {
  const choices = fitting(PRESETS, { kind: "own" });
  assert.equal(recommended(choices, { device: "cpu", preferred: "demo-64" }).name, "demo-16");
  assert.equal(recommended(choices, { device: "webgpu", preferred: "demo-64" }).name, "demo-64");
  assert.equal(recommended(choices, { device: "webgpu", preferred: null }).name, "demo-32");
  assert.equal(recommended([], { device: "webgpu", preferred: null }), null);
});

function safetensors(metadata, { length } = {}) {
  const text = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata }));
  const bytes = new Uint8Array(8 + text.length + 16);
  new DataView(bytes.buffer).setUint32(0, length ?? text.length, true);
  bytes.set(text, 8);
  return new File([bytes], "run.safetensors");
}

test("a checkpoint says what it is", async () => {
  const header = {
    kind: "checkpoint",
    images: 1200,
    critic_steps: 38,
    generator_steps: 37,
    config: { preset: "points", batch: 32, seed: 5, network: { classes: 8 }, gamma: { base: 0.5 }, learning_rate: { base: 0.1 } },
  };
  assert.deepEqual(await readCheckpointHeader(safetensors({ r3gan: JSON.stringify(header) })), {
    preset: "points",
    images: 1200,
    criticSteps: 38,
    generatorSteps: 37,
    batch: 32,
    seed: 5,
    classes: 8,
    learningRate: 0.1,
    gamma: 0.5,
  });
});

test("what is not a checkpoint is refused in a sentence that names it", async () => {
  const model = safetensors({ r3gan: JSON.stringify({ kind: "model" }) });
  await assert.rejects(readCheckpointHeader(model), { name: "InputError", message: /^run\.safetensors: is a model/ });
  const others = [
    new File([], "run.safetensors"),
    new File(["PK\u0003\u0004 something else entirely"], "run.safetensors"),
    safetensors({}),
    safetensors({ r3gan: "{" }),
    safetensors({ r3gan: JSON.stringify({ kind: "checkpoint" }) }),
    safetensors({ r3gan: "{}" }, { length: 2 ** 31 }),
  ];
  for (const file of others) await assert.rejects(readCheckpointHeader(file), { message: /^run\.safetensors: is not a checkpoint/ });
});

test("sliders are logarithmic, and zero is their lowest place", () => {
  for (const value of [1e-4, 0.05, 1, 250]) assert.equal(fromSlider(toSlider(value, -6, 3)), value);
  assert.equal(toSlider(0, -4, 3), -4);
  assert.equal(toSlider(1e9, -4, 3), 3);
});

test("numbers fit on an axis", () => {
  assert.deepEqual([0, 999, 1000, 12_345, 2.5e6].map(compact), ["0", "999", "1k", "12.3k", "2.5M"]);
  assert.deepEqual([0, 0.0006, 0.05123, 1.2345, 240.4, 0.00002, 250_000].map(figure), ["0", "0.0006", "0.0512", "1.23", "240", "2.0e-5", "2.5e5"]);
});

test("a logarithmic axis has a handful of ticks, whatever its range", () => {
  assert.deepEqual(logTicks(0.08, 6), [0.1, 0.2, 0.5, 1, 2, 5]);
  assert.deepEqual(logTicks(0.5, 900), [1, 10, 100]);
  for (const [least, most] of [[1e-9, 1e18], [1e-3, 1e3], [2, 3], [1, 1e6]]) {
    const ticks = logTicks(least, most);
    assert.ok(ticks.length <= 7 && ticks.every((tick) => tick >= least && tick <= most), ticks.join());
  }
});

test("the critic's opinion is centred and scaled, whatever its logits are", () => {
  const logits = Float32Array.from({ length: 101 }, (_, index) => 1000 + index);
  const values = normalize(logits);
  assert.equal(values[50], 0);
  assert.equal(values[0], -1);
  assert.equal(values[100], 1);
  assert.deepEqual([...normalize([5, 5, 5, Number.NaN])], [0, 0, 0, 0]);
  const pixels = heat([-1, 0, 1], { ground: [100, 100, 100], made: [0, 0, 200], real: [200, 0, 0] });
  assert.deepEqual([...pixels.slice(4, 8)], [100, 100, 100, 255], "the middle is the ground");
  assert.ok(pixels[2] > pixels[0] && pixels[8] > pixels[10]);
});
