// The shell: which view is shown, the theme, the device badge, the service worker. Views are loaded when they are
// first shown. A view's module exports `install(section)`, which may return `{ show?(), hide?(), open?(file) }`.

import { say } from "./shared/say.js";

const VIEWS = {
  sample: () => import("./sample/main.js"),
  train: () => import("./train/main.js"),
};
const TITLES = { sample: "r3gan: pictures made on your own device", train: "Train a small GAN: r3gan" };

/** @type {Record<string, Promise<{ show?(): void, hide?(): void, open?(file: File): Promise<void> } | undefined>>} */
const installed = {};
let current = "";

/** Other hashes stay where they are. */
const wanted = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : current || "sample");

async function route({ focus = false } = {}) {
  const name = wanted();
  if (name === current) return;
  const before = current;
  current = name;
  for (const view of Object.keys(VIEWS)) {
    document.getElementById(view).hidden = view !== name;
    const tab = document.querySelector(`.tabs a[href="#${view}"]`);
    if (view === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = TITLES[name];
  if (focus) {
    scrollTo(0, 0);
    document.getElementById(name).querySelector("h1")?.focus({ preventScroll: true });
  }
  if (before) (await installed[before]?.catch(() => undefined))?.hide?.();
  if (installed[name]) (await installed[name].catch(() => undefined))?.show?.();
  else await install(name);
}

async function install(name) {
  installed[name] = VIEWS[name]().then((module) => module.install(document.getElementById(name)));
  try {
    await installed[name];
  } catch (error) {
    delete installed[name];
    console.warn(error);
    document.body.dataset[name === "sample" ? "state" : "train"] = "failed";
    say("A part of the page could not be loaded. Is the network there?", {
      tone: "danger",
      action: { label: "Reload", run: () => location.reload() },
    });
  }
}

function theme() {
  const toggle = document.getElementById("theme-toggle");
  const show = () => toggle.setAttribute("aria-pressed", String(document.documentElement.dataset.theme === "dark"));
  toggle.addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.dispatchEvent(new CustomEvent("themechoice", { detail: next }));
  });
  document.addEventListener("themechange", show);
  show();
}

async function badge() {
  const { capabilitiesOnce, expectedDevice } = await import("./shared/device.js");
  const { showDevice } = await import("./shared/badge.js");
  const able = await capabilitiesOnce();
  showDevice(expectedDevice(able), able);
}

/** Only a built page has files whose names change with their contents, so only that one is kept for offline use. */
async function offline() {
  const build = document.querySelector('meta[name="r3gan-build"]')?.content;
  if (!build || !navigator.serviceWorker) return;
  document.getElementById("version").textContent = `Version ${build}.`;
  const registration = await navigator.serviceWorker.register("sw.js");
  const offer = (worker) =>
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && navigator.serviceWorker.controller) ready(worker);
    });
  if (registration.waiting && navigator.serviceWorker.controller) ready(registration.waiting);
  offer(registration.installing);
  registration.addEventListener("updatefound", () => offer(registration.installing));
}

function ready(worker) {
  const run = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    worker.postMessage("activate");
  };
  say("A newer version of this page is ready.", { action: { label: "Reload", run } });
}

/** The skip link moves the focus and leaves the address alone, which names the view. */
function skipLink() {
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("content").focus();
  });
}

/** The Train view hands over the model of its run. */
async function openModel({ bytes, name }) {
  location.hash = "#sample";
  await route({ focus: true });
  (await installed.sample)?.open?.(new File([bytes], name));
}

theme();
skipLink();
document.addEventListener("r3gan:open-model", (event) => openModel(/** @type {CustomEvent} */ (event).detail));
addEventListener("hashchange", () => route({ focus: true }));
route();
badge().catch(console.warn);
offline().catch((error) => console.warn("The page is not kept for offline use:", error));
