import assert from "node:assert/strict";

import { choose, discs, openTrain, ready } from "./training.mjs";
import { story } from "./story.mjs";

story("a batch that memory cannot hold is refused before any is taken, and a smaller one offered", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await choose(scene, { dataset: "own", preset: "demo-16", batch: 4096 });
  await scene.get("train-own-files").setInputFiles(discs(8, 16));
  await ready(scene);
  await scene.get("train-start").click();
  const message = scene.get("train-message");
  let batch = 4096;
  for (;;) {
    await scene.until("it says so, or starts", async () => `${await message.textContent()} ${await page.locator("body").getAttribute("data-train")}`, (text) => /memory|needs about|running/.test(text));
    if ((await page.locator("body").getAttribute("data-train")) === "running") break;
    assert.match(await message.textContent(), new RegExp(`${batch} samples.*GB are free.*smaller batch`));
    batch /= 2;
    await message.getByRole("button", { name: `Start with ${batch} a step` }).click();
    await scene.until("it tries", () => message.textContent(), (text) => !text.includes(`${2 * batch} samples`));
  }
  assert.ok(batch < 4096, "the first is refused");
  assert.match(await scene.text("train-summary"), new RegExp(`batch ${batch}\\b`));
});
