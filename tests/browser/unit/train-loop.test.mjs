import assert from "node:assert/strict";
import test from "node:test";
import { Checkpoints } from "../../../www/js/train/checkpoints.js";
import { isFatal, planFor, stuckPlan } from "../../../www/js/train/recovery.js";
import { RunLoop } from "../../../www/js/train/run-loop.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const failure = (name) => Object.assign(new Error(`${name} happened.`), { name });

/** A trainer on a clock of its own. */
class FakeTrainer {
  now = 0;
  calls = [];
  images = 0;
  stepMs = 10;
  error = null;

  async #work(name, ms) {
    this.calls.push(name);
    await turn();
    this.now += ms;
    if (this.error) throw this.error;
    this.images += 1;
    return { images: this.images, seconds: ms / 1000 };
  }

  steps = (count) => this.#work(`steps ${count}`, count * this.stepMs);
  stepCritic = () => this.#work("critic", this.stepMs);
  stepGenerator = () => this.#work("generator", this.stepMs);
}

function scene({ hidden = () => false, lookMs = 50 } = {}) {
  const trainer = new FakeTrainer();
  const told = { stats: 0, looks: 0, keeps: 0, stages: [], failures: [] };
  const spend = (what, ms) => async () => {
    await turn();
    trainer.now += ms;
    told[what] += 1;
  };
  const events = {
    stats: () => (told.stats += 1),
    look: spend("looks", lookMs),
    keep: spend("keeps", 20),
    stage: (stage) => told.stages.push(stage),
    failed: (error) => told.failures.push(error.name),
  };
  return { trainer, told, loop: new RunLoop({ trainer, events, hidden, now: () => trainer.now }) };
}

async function until(condition) {
  for (let turns = 0; turns < 100_000 && !condition(); turns++) await turn();
  assert.ok(condition(), "it never came to that");
}

test("playing calls, pausing does not, and no call is left over", async () => {
  const { trainer, told, loop } = scene();
  loop.play();
  await until(() => trainer.now > 60_000);
  await loop.pause();
  const calls = trainer.calls.length;
  assert.equal(told.stats, calls, "every call's statistics are told");
  for (let turns = 0; turns < 50; turns++) await turn();
  assert.equal(trainer.calls.length, calls);
  const last = Number(trainer.calls.at(-1).split(" ")[1]);
  assert.ok(last >= 20 && last <= 40, `${last} steps of 10 ms a call`);
  assert.ok(told.looks > 20 && told.looks <= 60, `${told.looks} looks`);
  assert.ok(told.keeps >= 10 && told.keeps <= 13, `${told.keeps} checkpoints in a minute`);
});

test("a hidden page is trained for, not drawn for", async () => {
  let hidden = true;
  const { trainer, told, loop } = scene({ hidden: () => hidden });
  loop.play();
  await until(() => trainer.now > 30_000);
  assert.equal(told.looks, 0);
  assert.ok(told.keeps >= 2);
  hidden = false;
  await until(() => told.looks > 0);
  await loop.stop();
});

test("slow motion takes turns and says whose turn it is", async () => {
  const { trainer, told, loop } = scene();
  loop.setSlow(1);
  loop.play();
  await until(() => told.stages.length >= 6);
  await loop.pause();
  assert.deepEqual(told.stages.slice(0, 4), ["critic", "generator", "critic", "generator"]);
  assert.equal(told.stages.at(-1), null);
  assert.deepEqual(trainer.calls.slice(0, 4), ["critic", "generator", "critic", "generator"]);
});

test("slow motion can be left while it waits", async () => {
  const { trainer, told, loop } = scene();
  loop.setSlow(1e6);
  loop.play();
  await until(() => told.stages.length === 1 && told.looks === 1);
  loop.setSlow(0);
  await until(() => trainer.calls.some((call) => call.startsWith("steps")));
  await loop.stop();
});

test("a single step of one player stops the rest", async () => {
  const { trainer, told, loop } = scene();
  loop.play();
  await until(() => trainer.calls.length > 3);
  await loop.single("generator");
  assert.equal(loop.playing, false);
  assert.equal(trainer.calls.at(-1), "generator");
  assert.equal(told.stages.at(-1), null);
  const calls = trainer.calls.length;
  await loop.single("critic");
  assert.deepEqual(trainer.calls.slice(calls), ["critic"]);
});

test("a failure ends the loop and is told once", async () => {
  const { trainer, told, loop } = scene();
  loop.play();
  await until(() => trainer.calls.length > 3);
  trainer.error = failure("DivergedError");
  await until(() => told.failures.length > 0);
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.deepEqual(told.failures, ["DivergedError"]);
  assert.equal(loop.playing, false);
});

test("after stop nothing is told any more", async () => {
  const { trainer, told, loop } = scene();
  loop.play();
  await until(() => trainer.calls.length > 3);
  trainer.error = failure("AbortError");
  await loop.stop();
  loop.play();
  await turn();
  assert.deepEqual([told.failures, loop.playing], [[], false]);
});

const RUN = { keptImages: 12_000, batch: 32, learningRate: 6e-4, gamma: 0.5, losses: 1, device: "webgpu" };
const labels = (plan) => plan.offers.map(({ label }) => label);

test("a lost device is replaced without asking, until it is lost again and again", () => {
  const first = planFor(failure("DeviceLostError"), RUN);
  assert.equal(first.automatic, true);
  assert.match(first.says, /DeviceLostError happened\. .*12000 images/);
  const third = planFor(failure("DeviceLostError"), { ...RUN, losses: 3 });
  assert.deepEqual([third.automatic, labels(third)], [false, ["Try again", "Go on with 16 a step", "Go on with the CPU"]]);
  assert.equal(third.offers[2].device, "cpu");
  const onCpu = planFor(failure("DeviceLostError"), { ...RUN, losses: 3, device: "cpu" });
  assert.deepEqual(labels(onCpu), ["Try again", "Go on with 16 a step"]);
});

test("out of memory offers half the batch, while there is a half", () => {
  const plan = planFor(failure("OutOfMemoryError"), { ...RUN, batch: 25 });
  assert.deepEqual(labels(plan), ["Go on with 12 a step", "Try 25 a step again"]);
  assert.deepEqual(plan.offers[0].settings, { batch: 12 });
  assert.deepEqual(labels(planFor(failure("OutOfMemoryError"), { ...RUN, batch: 1 })), ["Try 1 a step again"]);
});

test("divergence offers a smaller rate or more penalty", () => {
  const plan = planFor(failure("DivergedError"), RUN);
  assert.deepEqual(labels(plan), ["Half the learning rate: 0.0003", "Four times gamma: 2", "Change nothing"]);
  assert.deepEqual(plan.offers.map(({ settings }) => settings), [{ learningRate: 3e-4 }, { gamma: 2 }, undefined]);
  const wild = planFor(failure("DivergedError"), { ...RUN, learningRate: 0, gamma: 1e9 });
  assert.deepEqual(labels(wild), ["Change nothing"]);
  const none = planFor(failure("DivergedError"), { ...RUN, gamma: 0 });
  assert.deepEqual(none.offers[1].settings, { gamma: 0.1 });
});

test("divergence soon after a person's change goes back to before it", async () => {
  const kept = (images) => ({ bytes: new Uint8Array(), images, steps: { critic: images, generator: images }, settings: RUN, time: images });
  const checkpoints = new Checkpoints({ due: false, save: async () => {} });
  checkpoints.take = async () => kept(20);
  checkpoints.put(kept(10));
  const blames = (critic, seconds) => checkpoints.blamesChange({ steps: { critic }, seconds });
  assert.equal(blames(10, 1), false, "nothing was changed");
  await checkpoints.mark(null, RUN, { seconds: 5, remedy: false });
  checkpoints.put(kept(30));
  assert.deepEqual([blames(60, 1000), blames(1000, 60), blames(1000, 1000)], [true, true, false]);
  assert.equal(checkpoints.wentBack().images, 20);
  assert.deepEqual([checkpoints.newest.images, blames(21, 6)], [20, false]);
  // What was offered to mend it is not to blame: the shelf then goes further back.
  await checkpoints.mark(null, RUN, { seconds: 5, remedy: true });
  assert.equal(blames(21, 6), false);
  assert.equal(checkpoints.shelf.drop().images, 10);

  const plan = planFor(failure("DivergedError"), { ...RUN, beforeChange: true });
  assert.match(plan.says, /12000 images and to the settings before your last change\./);
  assert.deepEqual(labels(plan), ["Go on with those", "Half the learning rate: 0.0003", "Four times gamma: 2"]);
});

test("whatever cannot be undone says where the run is kept", () => {
  const plan = stuckPlan(failure("DeviceError"), { ...RUN, keptImages: null });
  assert.match(plan.says, /DeviceError happened\. The run is kept at its beginning/);
  assert.deepEqual(labels(plan), ["Try again", "Go on with the CPU"]);
  assert.ok(isFatal(failure("CrashError")) && !isFatal(failure("SettingError")));
});
