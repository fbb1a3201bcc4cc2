import assert from "node:assert/strict";
import test from "node:test";
import { CURVES, History } from "../../../www/js/train/history.js";

const record = (images, criticLoss, extra = {}) => ({ images, criticLoss, generatorLoss: null, ...extra });

test("memory stays the same however long a run lasts", () => {
  const history = new History(100);
  for (let step = 1; step <= 1_000_000; step++) history.add(record(step * 32, step));
  assert.ok(history.length < 100 && history.length >= 50, String(history.length));
  assert.equal(history.stride, 2 ** Math.log2(history.stride));
  assert.ok(history.curves.every((curve) => curve.length === history.length));
});

test("a merged point is the mean of its records, at the images of the last one", () => {
  const history = new History(4);
  for (let step = 1; step <= 4; step++) history.add(record(step * 10, step));
  // Four points became two.
  assert.deepEqual(history.images, [20, 40]);
  assert.deepEqual(history.curve("criticLoss"), [1.5, 3.5]);
  history.add(record(50, 10));
  assert.equal(history.length, 2, "half a point is not shown");
  history.add(record(60, 20));
  assert.deepEqual(history.curve("criticLoss"), [1.5, 3.5, 15]);
});

test("the mean of a long run is kept", () => {
  const history = new History(64);
  for (let step = 0; step < 64 * 16; step++) history.add(record(step, step % 2));
  for (const value of history.curve("criticLoss").slice(1)) assert.ok(Math.abs(value - 0.5) < 1e-9, String(value));
});

test("players that did not move leave gaps, not zeros", () => {
  const history = new History(4);
  history.add(record(1, 1));
  history.add({ images: 1, criticLoss: null, generatorLoss: 7 });
  assert.deepEqual(history.curve("criticLoss"), [1, null]);
  assert.equal(history.last("criticLoss"), 1);
  assert.equal(history.last("r1"), null);
  history.add(record(2, 2));
  history.add(record(3, Number.NaN));
  assert.deepEqual(history.curve("criticLoss"), [1, 2], "a gap does not count in a mean");
  assert.deepEqual(history.curve("generatorLoss"), [7, null]);
});

test("going back to a checkpoint forgets what came after it", () => {
  const history = new History(100);
  for (let step = 1; step <= 10; step++) history.add(record(step * 10, step));
  history.rewind(45);
  assert.deepEqual(history.images, [10, 20, 30, 40]);
  history.add(record(50, 5));
  assert.equal(history.last("criticLoss"), 5);
});

test("a saved history comes back, a broken one becomes empty", () => {
  const history = new History(8);
  for (let step = 1; step <= 21; step++) history.add(record(step, step / 3, { gamma: 0.123456789 }));
  const saved = JSON.parse(JSON.stringify(history));
  const back = History.from(saved, 8);
  assert.deepEqual(back.images, history.images);
  assert.equal(back.stride, history.stride);
  assert.ok(Math.abs(back.last("gamma") - 0.123456789) < 1e-6);
  const broken = [null, {}, { ...saved, format: 2 }, { ...saved, stride: 0 }, { ...saved, curves: saved.curves.slice(1) }, { ...saved, images: [1] }];
  for (const each of broken) assert.equal(History.from(each).length, 0);
  assert.equal(CURVES.length, saved.curves.length);
});
