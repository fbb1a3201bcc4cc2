import assert from "node:assert/strict";

import { alike } from "./pixels.mjs";
import { story } from "./story.mjs";

const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;

story("a link gives the same pictures to whoever opens it", { mounts: { "/models/": FIXTURES } }, async (scene) => {
  const { page } = scene;
  const model = encodeURIComponent(`${scene.server.origin}/models/pictures_by_class/model.safetensors`);
  await scene.visit(`?device=cpu&model=${model}&class=7`);
  await scene.live();
  await scene.get("seed-input").fill("123456");
  await scene.get("seed-input").press("Enter");
  await page.waitForURL(/[?&]seed=123456/);
  await scene.until("the canvas is drawn", () => scene.picture("sample-canvas"), ({ colours }) => colours > 20);
  const settled = await scene.settled("sample-canvas");
  assert.match(page.url(), /model=.*pictures_by_class/);
  assert.match(page.url(), /class=7/);

  const address = page.url();
  await page.goto("about:blank");
  await page.goto(address);
  await scene.live();
  await scene.until("the same pictures", () => scene.picture("sample-canvas"), (now) => alike(now, settled));
  assert.equal(await scene.get("class-select").inputValue(), "7");
  assert.equal(await scene.get("seed-input").inputValue(), "123456");

  // Another seed is another view, and Back goes back to this one.
  await scene.get("seed-input").fill("5");
  await scene.get("seed-input").press("Enter");
  await scene.changed("sample-canvas", settled);
  await page.goBack();
  await scene.until("the pictures before", () => scene.picture("sample-canvas"), (now) => alike(now, settled));
});
