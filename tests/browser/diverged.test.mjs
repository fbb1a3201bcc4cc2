import assert from "node:assert/strict";

import { choose, curve, discs, moved, openTrain, start, type } from "./training.mjs";
import { story } from "./story.mjs";

story("a run that diverges goes back to where it was good, and offers a lower rate", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await choose(scene, { dataset: "own", preset: "demo-16", batch: 2 });
  await scene.get("train-own-files").setInputFiles(discs(20, 16));
  await start(scene);
  await moved(scene, 8);
  const message = scene.get("train-message");
  // Weights that move by 1 a step, through a dozen layers: past f32 in a few steps. It may be taken back before the
  // page has said that the rate is held, so nothing is waited for but the end.
  await type(scene, "rate", 1);
  await scene.until("it says so", () => message.textContent(), (text) => /diverged/.test(text), 240_000);
  await scene.state("train", "paused");
  const back = await scene.number("train-images");
  assert.match(await message.textContent(), /went back to .* settings before your last change/);
  assert.ok(back > 0 && (await scene.settled("train-samples")).colours > 1, "samples are drawn again");

  await message.getByRole("button", { name: /Half the learning rate/ }).waitFor();
  // Any checkpoint since the change may hold weights that are lost already; the one before it does not.
  await message.getByRole("button", { name: "Go on with those" }).click();
  await scene.state("train", "running");
  await moved(scene, back);
  for (const label of ["critic", "generator", "R1", "R2"]) assert.ok(Number.isFinite(await curve(scene, label)), `${label} is a number`);
  assert.equal(await page.locator("body").getAttribute("data-train"), "running");
});
