// Measures the built site in Chromium and prints one JSON object a line. Not a test.
//
//     node measure.mjs [size] [first-face] [speed[=webgpu|cpu]] [memory=MINUTES]
//
// Without arguments: all of them, and 5 minutes of training for the memory.

import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { launch } from "./chromium.mjs";
import { processes } from "./memory.mjs";
import { serve } from "./server.mjs";
import { SITE, packageModule } from "./site.mjs";

const wanted = process.argv.slice(2);
const asked = (name) => wanted.length === 0 || wanted.some((word) => word.split("=")[0] === name);
const value = (name) => wanted.find((word) => word.startsWith(`${name}=`))?.split("=")[1];
const print = (what, facts) => console.log(JSON.stringify({ what, ...facts }));
const seconds = (ms) => Math.round(ms) / 1000;

/** Bytes of the wasm module: as it is, and packed. */
async function size() {
  const files = await readdir(SITE, { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".wasm"))) {
    const bytes = async (suffix) => (await stat(path.join(SITE, file + suffix)).catch(() => null))?.size ?? null;
    print("wasm size", { file, raw: await bytes(""), brotli: await bytes(".br"), gzip: await bytes(".gz") });
  }
}

/** Navigation to the first live face, in a fresh profile and again. */
async function firstFace() {
  for (const device of ["webgpu", "cpu"]) {
    const server = await serve({ "/": SITE });
    const browser = await launch();
    for (const visit of ["cold", "warm", "warm"]) {
      const before = server.requests.length;
      const began = performance.now();
      await browser.page.goto(`${server.origin}/?device=${device}`, { waitUntil: "commit" });
      await browser.page.waitForSelector('body[data-state="live"]', { timeout: 300_000 });
      const took = performance.now() - began;
      const sent = server.requests.slice(before);
      const bytes = (keep) => sent.filter(keep).reduce((sum, { bytes }) => sum + bytes, 0);
      const isModel = ({ path }) => path.endsWith(".safetensors");
      print("first live face", { device, visit, seconds: seconds(took), bytes: bytes((r) => !isModel(r)), model: bytes(isModel) });
      // The service worker takes what the next visit needs.
      await browser.page.evaluate(() => navigator.serviceWorker?.ready);
      await browser.page.goto("about:blank");
    }
    await browser.close();
    await server.close();
  }
}

/** Steps per second of the package, after a warm-up. */
async function speed(devices) {
  const server = await serve({ "/": SITE });
  const names = await readdir(SITE);
  const catalog = JSON.parse(await readFile(path.join(SITE, names.find((name) => /^catalog.*\.json$/.test(name))), "utf8"));
  const pictures = catalog.datasets.find(({ preset }) => preset === "demo-32");
  const runs = [{ preset: "points", dataset: "ring8", batch: 256, warm: 20, least: 40 }];
  if (pictures) runs.push({ preset: "demo-32", dataset: pictures.files, warm: 2, least: 4 });
  for (const device of devices) {
    for (const run of runs) {
      const browser = await launch();
      await browser.page.goto(`${server.origin}/?device=cpu`);
      const facts = await browser.page.evaluate(steps, { ...run, device, module: packageModule() });
      print("steps per second", { device, preset: run.preset, ...facts });
      await browser.close();
    }
  }
  await server.close();
}

/** In the page: trains with the package for about 20 s. */
async function steps({ module, preset, dataset, device, batch, warm, least }) {
  const { Trainer } = await import(new URL(module, document.baseURI));
  const fetched = async ({ name, url }) => ({ name, bytes: new Uint8Array(await (await fetch(url)).arrayBuffer()) });
  const source = Array.isArray(dataset) ? await Promise.all(dataset.map(fetched)) : dataset;
  const began = performance.now();
  const trainer = await Trainer.create({ preset, dataset: source, device, config: batch ? { batch } : {} });
  const opened = performance.now();
  await trainer.steps(1);
  const first = performance.now();
  await trainer.steps(warm);
  const start = performance.now();
  let count = 0;
  let stats;
  while (count < least || performance.now() - start < 20_000) {
    stats = await trainer.steps(Math.max(1, Math.floor(least / 4)));
    count += Math.max(1, Math.floor(least / 4));
  }
  const took = (performance.now() - start) / 1000;
  trainer.dispose();
  const round = (value) => Math.round(value * 1000) / 1000;
  return {
    batch: trainer.info.batch,
    open: round((opened - began) / 1000),
    firstStep: round((first - opened) / 1000),
    stepsPerSecond: round(count / took),
    imagesPerSecond: round((count * trainer.info.batch) / took),
    memory: stats.memory,
  };
}

/** What minutes of training in the page do to the memory, read every half minute. */
async function memory(minutes) {
  for (const device of ["webgpu", "cpu"]) {
    const server = await serve({ "/": SITE });
    const browser = await launch();
    const { page } = browser;
    await page.goto(`${server.origin}/?device=${device}#train`);
    await page.getByTestId("train-dataset").waitFor();
    await page.getByTestId("train-start").click();
    await page.waitForSelector('body[data-train="running"]', { timeout: 300_000 });
    const session = await browser.context.newCDPSession(page);
    await session.send("Performance.enable");
    const began = performance.now();
    for (let at = 0; at <= minutes * 60; at += 30) {
      await page.waitForTimeout(Math.max(0, at * 1000 - (performance.now() - began)));
      await session.send("HeapProfiler.collectGarbage");
      const { metrics } = await session.send("Performance.getMetrics");
      const metric = (name) => metrics.find((entry) => entry.name === name)?.value;
      print("memory", {
        device,
        seconds: at,
        images: await page.getByTestId("train-images").textContent(),
        readout: await page.getByTestId("train-memory").textContent(),
        pageHeap: metric("JSHeapUsedSize"),
        nodes: metric("Nodes"),
        ...(await processes(browser.profile)),
      });
    }
    await browser.close();
    await server.close();
  }
}

if (asked("size")) await size();
if (asked("first-face")) await firstFace();
if (asked("speed")) await speed(value("speed")?.split(",") ?? ["webgpu", "cpu"]);
if (asked("memory")) await memory(Number(value("memory") ?? 5));
