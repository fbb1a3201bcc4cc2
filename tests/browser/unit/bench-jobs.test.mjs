import assert from "node:assert/strict";
import test from "node:test";
import { jobs } from "../../../www/js/bench/jobs.js";
import { line, median, timed } from "../../../www/js/bench/line.js";

const PRESETS = ["demo-32", "points", "cifar10"];
const asked = (query) => jobs(new URLSearchParams(query), PRESETS);

test("the address names presets and work, each with each", () => {
  const list = asked("preset=demo-32,cifar10&what=sample,critic&device=cpu&batch=3&runs=2&warmup=0&least=4&limit=9");
  assert.deepEqual(list.map(({ preset, what }) => `${preset} ${what}`), ["demo-32 sample", "demo-32 critic", "cifar10 sample", "cifar10 critic"]);
  for (const { device, batch, runs, warmup, least, limit } of list) assert.deepEqual([device, batch, runs, warmup, least, limit], ["cpu", 3, 2, 0, 4, 9]);
});

test("what the address leaves open has a usual value", () => {
  assert.ok(asked("").length >= 3 && asked("device=cpu").every(({ device }) => device === "cpu"));
  assert.deepEqual(asked("preset=points").map(({ what }) => what), ["sample"]);
  const [first] = asked("what=first&warmup=3&least=2");
  assert.deepEqual([first.batch, first.warmup, first.least], [1, 0, 0], "nothing is warm before the first sample");
  assert.equal(asked("preset=points&what=iteration")[0].batch, 256);
  assert.deepEqual([asked("")[0].threads, asked("threads=2")[0].threads], [undefined, 2]);
});

test("what cannot be measured is refused by name", () => {
  assert.throws(() => asked("preset=demo-33"), /^Error: preset: there is no 'demo-33'; choose from demo-32, points, cifar10$/);
  assert.throws(() => asked("what=all"), /what: there is no 'all'/);
  assert.throws(() => asked("device=gpu"), /device: there is no 'gpu'/);
  for (const query of ["batch=0", "runs=1.5", "warmup=-1", "limit=x"]) assert.throws(() => asked(query), /is not a whole number from/, query);
});

test("a line has the middle of its runs", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const found = line({ peer: "p", preset: "points", what: "sample", batch: 6, device: "cpu", more: 1 }, [3, 1, 2]);
  assert.deepEqual(found, {
    ...{ peer: "p", preset: "points", what: "sample", batch: 6, device: "cpu", dtype: "f32" },
    ...{ median_s: 2, min_s: 1, max_s: 3, images_per_s: 3, runs: 3, more: 1 },
  });
});

test("runs come after the warm-up, and the limit leaves one of them", async () => {
  const seen = [];
  const seconds = await timed(async (run) => seen.push(run) && 0.5, { runs: 2, warmup: 1, limit: 60 });
  assert.deepEqual([seen, seconds], [[0, 1, 2], [0.5, 0.5]]);
  const lasting = await timed(async () => 0.5, { runs: 2, warmup: 1, least: 0.05, limit: 60 });
  assert.ok(lasting.length > 2, "runs go on until the time is over");
  const wait = () => new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await timed(wait, { runs: 9, warmup: 9, limit: 0 })).length, 1);
});
