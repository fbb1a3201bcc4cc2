// One measurement in a Chromium of its own: of the package through its bench page, or of a library beside it.
//
//     node run.mjs '{ "peer": "onnxruntime-web", "preset": "demo-32", "what": "sample", "device": "cpu", "threads": 2 }'
//
// Prints a line of JSON for each kind of work, with the keys of `r3gan bench --json`. The built site and Chromium are
// found as by the tests; ONNX files lie in target/peers/onnx.

import { readFile } from "node:fs/promises";

import { launch } from "../../browser/chromium.mjs";
import { ISOLATED, serve } from "../../browser/server.mjs";
import { SITE, folder } from "../../browser/site.mjs";
import { line, timed } from "../../../www/js/bench/line.js";

const USUAL = { batch: 1, runs: 5, warmup: 1, least: 0, limit: 120, threads: 1 };
/** Longer than the slowest pair of runs on two cores and a software GPU. */
const PATIENCE = 60 * 60_000;

const version = async (name) => {
  const file = folder(`tests/peers/web/node_modules/${name}/package.json`);
  return `${name.replace("@tensorflow/", "")} ${JSON.parse(await readFile(file, "utf8")).version}`;
};

const PEERS = {
  async r3gan({ page, origin, job }) {
    await page.goto(`${origin}/bench.html?${new URLSearchParams(job)}`);
    await page.waitForSelector('body[data-state="done"]', { timeout: PATIENCE });
    const text = (await page.getByTestId("bench-lines").textContent()).trim();
    if (!text) throw new Error(await page.getByTestId("bench-status").textContent());
    return text.split("\n").map((line) => JSON.parse(line));
  },

  async "onnxruntime-web"({ page, origin, job }) {
    const call = async (name) => {
      await page.goto(`${origin}/peers/page.html`);
      return page.evaluate(async ([name, job]) => (await import("/peers/onnxruntime.js"))[name](job), [name, job]);
    };
    // To the first sample each run has a page of its own, which has loaded nothing yet.
    const seconds = job.what === "first" ? await timed(() => call("first"), { warmup: 0, runs: job.runs, limit: job.limit }) : await call("sample");
    return [line({ ...job, peer: await version("onnxruntime-web") }, seconds)];
  },

  async tensorflow({ page, origin, job }) {
    await page.goto(`${origin}/peers/page.html`);
    const found = await page.evaluate(async (job) => (await import("/peers/tensorflow.js")).measure(job), job);
    const peer = await version("@tensorflow/tfjs");
    return Object.entries(found).map(([what, seconds]) => line({ ...job, peer, what }, seconds));
  },
};

const { peer, ...job } = { ...USUAL, ...JSON.parse(process.argv[2]) };
const mounts = { "/": SITE, "/peers/": folder("tests/peers/web"), "/bench/": folder("www/js/bench"), "/onnx/": folder("target/peers/onnx") };
const server = await serve(mounts, { headers: ISOLATED });
const browser = await launch();
const hopeless = setTimeout(() => {
  console.error(`gave up after ${PATIENCE / 60_000} minutes`);
  process.exit(1);
}, PATIENCE);
try {
  for (const found of await PEERS[peer]({ page: browser.page, origin: server.origin, job })) console.log(JSON.stringify(found));
} catch (error) {
  console.error(`${peer}, ${job.preset}, ${job.device}: ${error.message}`);
  process.exitCode = 1;
} finally {
  clearTimeout(hopeless);
  await browser.close();
  await server.close();
}
