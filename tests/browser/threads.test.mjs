// The module for the CPU's cores: where it has threads, that it computes what one thread computes, and what happens without it.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";

import { ISOLATED } from "./server.mjs";
import { packageModule } from "./site.mjs";
import { story } from "./story.mjs";

const CORES = Math.min(availableParallelism(), 16);
const PLACE = { module: packageModule() };

/** In the page: what some steps on Ring8 come to, with at most so many threads. */
async function trained({ module, threads, steps = 3 }) {
  const { Trainer } = await import(new URL(module, document.baseURI));
  try {
    const trainer = await Trainer.create({ preset: "points", dataset: "ring8", device: "cpu", threads });
    const { criticLoss, generatorLoss, r1, r2 } = await trainer.steps(steps);
    const samples = await trainer.samples();
    const model = await trainer.exportModel();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", model)).toHex?.() ?? String(new Uint8Array(model).slice(-4096));
    trainer.dispose();
    return { threads: trainer.info.threads, stats: [criticLoss, generatorLoss, r1, r2], values: Array.from(samples.values), digest };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

/** In the page: what becomes of a load that is cancelled while its worker is at each stage. */
async function cancelledAtEach({ module, stages }) {
  const { Trainer } = await import(new URL(module, document.baseURI));
  const post = Worker.prototype.postMessage;
  const ends = [];
  for (const stage of stages) {
    const controller = new AbortController();
    Worker.prototype.postMessage = function (message, transfer) {
      post.call(this, message, transfer);
      if (message.method === stage) controller.abort();
    };
    const starting = Trainer.create({ preset: "points", dataset: "ring8", device: "cpu", signal: controller.signal });
    ends.push(await starting.then(() => "started", ({ name }) => name));
  }
  Worker.prototype.postMessage = post;
  return ends;
}

const isolated = (scene) => scene.page.evaluate(() => globalThis.crossOriginIsolated);
/** The wasm modules that the host was asked for. */
const modules = (scene) => [...new Set(scene.server.requests.map(({ path }) => /(\w+)_bg\.[^/]*wasm$/.exec(path)?.[1]).filter(Boolean))];

story("threads compute what one thread computes", { webgpu: false, headers: ISOLATED }, async (scene) => {
  await scene.visit();
  await scene.live();
  assert.ok(await isolated(scene));
  const one = await scene.page.evaluate(trained, { ...PLACE, threads: 1 });
  assert.equal(one.threads, 1, one.error);
  assert.ok(one.stats.every(Number.isFinite));
  const cancelled = await scene.page.evaluate(cancelledAtEach, { ...PLACE, stages: ["bind", "start", "pool"] });
  assert.deepEqual(cancelled, ["AbortError", "AbortError", "AbortError"]);
  const all = await scene.page.evaluate(trained, PLACE);
  assert.deepEqual(all, { ...one, threads: CORES }, "the same bits, whatever the number of threads, after loads that were cancelled too");
  assert.equal(modules(scene)[0], "r3gan_cpu", "the module for every browser is only kept for later");
  const refused = await scene.page.evaluate(trained, { ...PLACE, threads: 0 });
  assert.equal(refused.error, "SettingError: threads: 0 is not a whole number from 1 to 1024");
  await scene.page.waitForFunction(() => navigator.serviceWorker.ready.then(({ active }) => active?.state === "activated"));
  await scene.visit();
  await scene.live();
  assert.ok(await isolated(scene), "by the service worker, which must not say twice what the host says");
  assert.deepEqual(await scene.page.evaluate(trained, PLACE), all);
});

story("a host without headers has threads from the second visit on", { webgpu: false }, async (scene) => {
  const { page } = scene;
  await scene.visit();
  await scene.live();
  assert.equal(await isolated(scene), false);
  assert.equal((await page.evaluate(trained, PLACE)).threads, 1);
  await page.waitForFunction(() => navigator.serviceWorker.ready.then(({ active }) => active?.state === "activated"));
  for (const address of ["", "bench.html"]) {
    await page.goto(scene.url(address));
    assert.ok(await isolated(scene), address);
    assert.equal((await page.evaluate(trained, PLACE)).threads, CORES, address);
  }
});

/** What answers in place of the host is not asked where the service worker does. */
const BY_ROUTE = { webgpu: false, headers: ISOLATED, context: { serviceWorkers: "block" } };

story("where the module for cores is not to be had, the other one computes", BY_ROUTE, async (scene) => {
  await scene.page.route(/r3gan_cpu_bg\..*wasm$/, (route) => route.abort());
  await scene.visit();
  await scene.live();
  const { threads, stats } = await scene.page.evaluate(trained, PLACE);
  assert.equal(threads, 1);
  assert.ok(stats.every(Number.isFinite));
  assert.ok(modules(scene).includes("r3gan"));
  scene.errors.forgive(/ERR_FAILED/);
});

story("a thread that fails ends its job with its sentence; one that does not start is done without", BY_ROUTE, async (scene) => {
  const script = (body) => (route) => route.fulfill({ contentType: "text/javascript", headers: ISOLATED, body });
  const thread = /pkg\/thread\.\w+\.js$/;
  await scene.page.context().route(thread, script(`postMessage({}); setTimeout(() => postMessage({ error: { name: "OutOfMemoryError", message: "Full." } }), 100);`));
  await scene.visit("?device=cpu");
  const failed = await scene.page.evaluate(trained, { ...PLACE, threads: 2 });
  assert.equal(failed.error, CORES > 1 ? "OutOfMemoryError: Full." : undefined);
  await scene.page.context().unroute(thread);
  await scene.page.context().route(thread, script("for (;;) ;"));
  const cancelled = await scene.page.evaluate(async ({ module }) => {
    const { Trainer } = await import(new URL(module, document.baseURI));
    const starting = Trainer.create({ preset: "points", dataset: "ring8", device: "cpu", threads: 2, signal: AbortSignal.timeout(2000) });
    return starting.then(() => "started", (error) => error.name);
  }, PLACE);
  assert.equal(cancelled, CORES > 1 ? "AbortError" : "started");
  await scene.page.context().unroute(thread);
  await scene.page.context().route(thread, script("throw new Error('no')"));
  const alone = await scene.page.evaluate(trained, { ...PLACE, threads: 2 });
  assert.equal(alone.threads, 1, alone.error);
  assert.ok(alone.stats.every(Number.isFinite));
});
