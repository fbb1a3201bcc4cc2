import assert from "node:assert/strict";

import { autosavedImages, moved, openTrain, pause, ready, start } from "./training.mjs";
import { story } from "./story.mjs";

story("a paused run goes on after a reload, exactly where it was", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await start(scene);
  await moved(scene, 2000);
  const seen = await pause(scene);
  const steps = await scene.number("train-critic-steps");

  await page.reload();
  await ready(scene);
  assert.match(await scene.text("train-saved-summary"), new RegExp(`${seen.toLocaleString("en")} points seen`));
  await scene.get("train-continue").click();
  await scene.state("train", "running");
  await moved(scene, seen);
  const later = await pause(scene);
  const batch = seen / steps;
  assert.ok(Number.isInteger(batch), `${seen} points in ${steps} steps`);
  assert.equal(later, batch * (await scene.number("train-critic-steps")), "the counts went on together");
});

story("a run that nobody paused is kept when the page goes, and goes on", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await start(scene);
  const seen = await moved(scene, 1000);
  // As when the tab is put away: the page may still write.
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await scene.until("it is autosaved", () => page.evaluate(autosavedImages), (saved) => saved >= seen);
  await page.reload();
  await ready(scene);
  await scene.get("train-continue").click();
  await scene.state("train", "running");
  assert.ok((await moved(scene, 0)) >= seen, "nothing from before is lost");

  // A new run asks nothing and keeps this one.
  await pause(scene);
  await scene.get("train-new").click();
  await scene.state("train", "idle");
  await scene.get("train-continue").waitFor();
});
