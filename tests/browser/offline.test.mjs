import assert from "node:assert/strict";

import { alike } from "./pixels.mjs";
import { ready, start } from "./training.mjs";
import { story } from "./story.mjs";

story("a second visit needs no network", { timeout: 420_000 }, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  const first = await scene.settled("sample-canvas");
  await page.waitForFunction(() => navigator.serviceWorker.ready.then((registration) => registration.active?.state === "activated"));

  await scene.server.offline();
  await page.goto("about:blank");
  await page.goto(scene.url("?device=cpu"));
  await scene.live();
  // The module for cores was loaded before anything kept it: the other one, which every browser keeps, computes.
  scene.errors.forgive(/r3gan_cpu_bg/);
  await scene.until("the same pictures", () => scene.picture("sample-canvas"), (now) => alike(now, first));
  await scene.get("new-faces").click();
  await scene.changed("sample-canvas", first);

  await scene.get("tab-train").click();
  await ready(scene);
  await start(scene);
  assert.match(await scene.text("train-summary"), /Ring/);

  // What was never fetched is asked for in words, and comes when the network does.
  await scene.get("train-new").click();
  await scene.state("train", "idle");
  await page.getByTestId("train-dataset-digits").check({ force: true });
  await ready(scene);
  await scene.get("train-start").click();
  await scene.until("it says why", () => scene.text("train-message"), (text) => /fetched|network|connection/i.test(text));
  scene.errors.forgive(/ERR_CONNECTION_REFUSED|Failed to fetch/);
  await scene.server.online();
});

story("a page of a newer build is offered, not forced", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  const worker = await page.waitForFunction(() => navigator.serviceWorker.ready.then(({ active }) => active?.scriptURL));
  assert.equal(await worker.jsonValue(), scene.url("sw.js"), "its scope is the site's folder");
});
