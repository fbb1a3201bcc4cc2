// The parity tests of tests/parity, from the same bodies, in the browser on WebGPU, on the CPU, and on all its cores.
//
// R3GAN_PARITY is the folder of parity.js, parity_bg.wasm and their twins parity_cpu, which `cargo build --example parity` and
// wasm-bindgen make.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";

import { launch, requireAdapter } from "./chromium.mjs";
import { ISOLATED, serve } from "./server.mjs";
import { folder } from "./site.mjs";

const FIXTURES = folder("tests/fixtures");
const SUITE = process.env.R3GAN_PARITY ?? folder("target/browser/parity");

/** SwiftShader on two busy cores. */
const PATIENCE = 300_000;

test("parity in the browser", { timeout: 1_200_000 }, async (t) => {
  const server = await serve({ "/": folder("tests/browser"), "/fixtures/": FIXTURES, "/suite/": SUITE }, { headers: ISOLATED });
  t.after(() => server.close());
  const browser = await launch();
  t.after(() => browser.close());
  const { page } = browser;
  await page.goto(`${server.origin}/parity/`);
  const adapter = await requireAdapter(page);
  t.diagnostic(`adapter: ${adapter.vendor} ${adapter.description}`);

  const entries = await readdir(FIXTURES, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(FIXTURES.length + 1));
  await page.waitForFunction(() => window.parity);
  const names = await page.evaluate((paths) => window.parity.prepare(paths), paths);
  assert.ok(names.length > 10, "the module has tests");
  for (const device of ["webgpu", "cpu", "cores"]) assert.ok(names.some((name) => name.endsWith(`::${device}`)), `some of them on ${device}`);

  let ofThreads = 0;
  for (const name of names) {
    await t.test(name, { timeout: PATIENCE }, async (t) => {
      const { failed, notes, seconds, tasks = 0 } = await page.evaluate((name) => window.parity.run(name), name);
      notes.forEach((note) => t.diagnostic(note));
      t.diagnostic(`${seconds.toFixed(1)} s`);
      assert.equal(failed, undefined, failed);
      ofThreads = Math.max(ofThreads, tasks);
    });
  }
  assert.ok(ofThreads > 100, `the second thread computed: ${ofThreads} tasks`);
  assert.deepEqual(browser.errors.found, []);
});
