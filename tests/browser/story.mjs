// A story: one visitor with a browser of their own, at a fresh copy of the site.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { launch, requireAdapter } from "./chromium.mjs";
import { canvasFacts } from "./pixels.mjs";
import { serve } from "./server.mjs";
import { FACES, LEFT_BEHIND, SITE } from "./site.mjs";

/** Where the site lies on its host: under a path, as project pages do. */
const UNDER = "/some/path/";

/** How long one state may take to come, on two busy cores with a GPU made of software. */
export const PATIENCE = 120_000;

/**
 * A test that visits the site. It fails on any console error, whatever else it checks.
 *
 * @param {string} name
 * @param {{ webgpu?: boolean, canvas?: boolean, context?: object, timeout?: number, mounts?: Record<string, string>,
 *   slow?: (url: string) => number | undefined, headers?: Record<string, string> }} options
 * @param {(scene: Scene, t: import("node:test").TestContext) => Promise<void>} body
 */
export function story(name, options, body) {
  test(name, { timeout: options.timeout ?? 300_000 }, async (t) => {
    const scene = await Scene.open(options);
    try {
      await body(scene, t);
      assert.deepEqual(scene.errors.found, [], "no error on the console, no exception, nothing sent anywhere");
    } catch (error) {
      await scene.leaveBehind(name).catch(() => {});
      throw error;
    } finally {
      await scene.close();
    }
  });
}

export class Scene {
  static async open({ webgpu = true, canvas = false, context, mounts = {}, slow, headers } = {}) {
    if (!existsSync(path.join(SITE, "index.html"))) throw new Error(`${SITE} holds no site: \`cargo xtask package\` builds it`);
    const scene = new Scene();
    scene.server = await serve({ [UNDER]: SITE, ...mounts }, { slow, headers });
    scene.browser = await launch({ webgpu, canvas, context });
    scene.page = scene.browser.page;
    scene.errors = scene.browser.errors;
    return scene;
  }

  /** An address of the page, such as `?seed=3#train`. */
  url(rest = "") {
    return `${this.server.origin}${UNDER}${rest}`;
  }

  async visit(rest = "", { webgpu = /device=webgpu/.test(rest) } = {}) {
    await this.page.goto(this.url(rest));
    if (webgpu) await requireAdapter(this.page);
  }

  get(testId) {
    return this.page.getByTestId(testId);
  }

  /** Opens the small faces of the fixtures, and waits until they are what is shown. */
  async openFaces() {
    await this.get("model-file").setInputFiles(FACES);
    await this.facesAreOpen();
  }

  async facesAreOpen() {
    await this.get("facts").getByText(/16\s*[×x]\s*16/).waitFor();
    await this.live();
  }

  /** Waits until the Sample view shows live samples. */
  live() {
    return this.state("state", "live");
  }

  /** Waits for `body[data-state]` or `body[data-train]`. */
  async state(name, value, timeout = PATIENCE) {
    const found = () => this.page.locator("body").getAttribute(`data-${name}`);
    await this.page.waitForSelector(`body[data-${name}="${value}"]`, { timeout }).catch(async (error) => {
      const status = await this.get("status").textContent().catch(() => "");
      const message = await this.get("train-message").textContent().catch(() => "");
      throw new Error(`data-${name} is ${await found()}, not ${value}: ${status} ${message}`, { cause: error });
    });
  }

  /** Waits until `read` gives a value that `wanted` accepts, and gives it. */
  async until(what, read, wanted = Boolean, timeout = PATIENCE) {
    const end = Date.now() + timeout;
    for (;;) {
      const value = await read();
      if (wanted(value)) return value;
      if (Date.now() > end) assert.fail(`${what}: still ${JSON.stringify(value)?.slice(0, 200)} after ${timeout / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** The text of an element, without surrounding space. */
  async text(testId) {
    return (await this.get(testId).textContent()).trim();
  }

  /** The first number of a readout; `1,234` is one. */
  async number(testId) {
    const text = await this.text(testId);
    const found = /-?[\d.,\u202f\u00a0]*\d/.exec(text);
    assert.ok(found, `${testId} has a number: '${text}'`);
    return Number(found[0].replaceAll(/[,\u202f\u00a0]/g, ""));
  }

  /** Size, digest and number of colours of a canvas. */
  picture(testId) {
    return this.get(testId).evaluate(canvasFacts);
  }

  /** Waits until a canvas has been the same for a while, and the grid is not being filled. */
  async settled(testId) {
    let last = await this.picture(testId);
    let same = 0;
    return this.until(`${testId} settles`, async () => {
      const now = await this.picture(testId);
      const busy = await this.page.locator("#choices[aria-busy=true]").count();
      same = now.digest === last.digest && !busy ? same + 1 : 0;
      last = now;
      return same >= 4 ? now : null;
    });
  }

  /** Waits until a canvas shows something else than `before`, and has settled. */
  async changed(testId, before) {
    await this.until(`${testId} changes`, () => this.picture(testId), (now) => now.digest !== before.digest);
    return this.settled(testId);
  }

  /** What `action` downloads: its name and bytes. */
  async download(action) {
    const [download] = await Promise.all([this.page.waitForEvent("download", { timeout: PATIENCE }), action()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
  }

  async leaveBehind(name) {
    await mkdir(LEFT_BEHIND, { recursive: true });
    const file = path.join(LEFT_BEHIND, name.replaceAll(/\W+/g, "-"));
    await this.page.screenshot({ path: `${file}.png` });
    await writeFile(`${file}.log`, [...this.errors.found, "", ...this.errors.log].join("\n"));
  }

  async close() {
    await this.browser.close();
    await this.server.close();
  }
}
