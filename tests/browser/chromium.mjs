// Chromium with WebGPU on a software device, with a profile of its own, watched for errors.

import { chromium } from "playwright-core";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const EXECUTABLE = process.env.R3GAN_CHROMIUM ?? "/usr/bin/chromium";

/** Nothing that Chromium does on its own may disturb a test or use the network. */
const QUIET = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** A WebGPU adapter where there is no GPU. */
const SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"];
/** What it draws reaches canvases only where the page is put together by the same processor: not on such a machine. */
const SAME_PROCESSOR = ["--use-vulkan=swiftshader", "--use-angle=swiftshader"];
// Without these, Chromium has `navigator.gpu` and no adapter, as on most machines without a driver.

/**
 * Starts Chromium; with `canvas` a GPU's pictures can be shown as they are, else they have to be read back.
 *
 * @param {{ webgpu?: boolean, canvas?: boolean, context?: import("playwright-core").BrowserContextOptions }} options
 */
export async function launch({ webgpu = true, canvas = false, context: settings = {} } = {}) {
  const profile = await mkdtemp(path.join(tmpdir(), "r3gan-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    args: [...QUIET, ...(webgpu ? SOFTWARE_WEBGPU : []), ...(canvas ? SAME_PROCESSOR : [])],
    viewport: { width: 1280, height: 900 },
    reducedMotion: "no-preference",
    acceptDownloads: true,
    ...settings,
  });
  context.setDefaultTimeout(60_000);
  const page = context.pages()[0] ?? (await context.newPage());
  return {
    context,
    page,
    errors: watch(context),
    profile,
    async close() {
      await context.close().catch(() => {});
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Collects console errors, uncaught exceptions, crashes, and requests that leave this machine. */
function watch(context) {
  const found = [];
  const log = [];
  context.on("console", (message) => {
    const { url, lineNumber } = message.location();
    const line = `${message.type()}: ${message.text()} (${url}:${lineNumber})`;
    log.push(line);
    if (message.type() === "error") found.push(line);
  });
  context.on("weberror", (error) => found.push(`uncaught: ${error.error()?.stack ?? error.error()}`));
  const adopt = (page) => page.on("crash", () => found.push(`crashed: ${page.url()}`));
  context.pages().forEach(adopt);
  context.on("page", adopt);
  context.on("request", (request) => {
    const url = new URL(request.url());
    const local = url.hostname === "localhost" || !url.protocol.startsWith("http");
    if (!local) found.push(`request to ${url.origin}`);
    if (!["GET", "HEAD"].includes(request.method())) found.push(`${request.method()} to ${request.url()}`);
  });
  return {
    found,
    log,
    /** Errors that a test provokes. */
    forgive(pattern) {
      for (let i = found.length - 1; i >= 0; i--) if (pattern.test(found[i])) found.splice(i, 1);
    },
  };
}

/** Fails loudly where a page has no WebGPU adapter: a test of WebGPU must not pass on the CPU. */
export async function requireAdapter(page) {
  const adapter = await page.evaluate(async () => {
    if (!navigator.gpu) return "navigator.gpu is not there";
    const adapter = await navigator.gpu.requestAdapter();
    return adapter ? { description: adapter.info.description, vendor: adapter.info.vendor } : "no adapter";
  });
  if (typeof adapter === "string") throw new Error(`Chromium gives no WebGPU here: ${adapter}`);
  return adapter;
}

/** In the page, before its scripts: the GPU made of software passes for a real one. */
export function asRealGpu() {
  if (globalThis.GPUAdapterInfo) Object.defineProperty(GPUAdapterInfo.prototype, "isFallbackAdapter", { get: () => false });
}
