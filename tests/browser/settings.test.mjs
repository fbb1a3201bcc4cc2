import assert from "node:assert/strict";

import { autosavedImages, moved, openTrain, pause, set, start } from "./training.mjs";
import { story } from "./story.mjs";

story("gamma and learning rate are changed while it runs, and what cannot be is refused", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await start(scene);
  const gamma = scene.get("train-gamma");
  await gamma.fill("0.75");
  await gamma.press("Tab");
  await page.locator("#train-gamma-note").getByText("Held at 0.75").waitFor();
  const rate = scene.get("train-rate");
  await rate.fill("0.0005");
  await rate.press("Tab");
  await page.locator("#train-rate-note").getByText(/Held at (0\.0005|5e-4)/).waitFor();
  await scene.until("the chart shows it", () => page.locator(".chart-title .readout .number").first().textContent(), (text) => text === "0.75");
  await moved(scene, await scene.number("train-images"));

  await gamma.fill("-1");
  await gamma.press("Tab");
  assert.equal(await gamma.getAttribute("aria-invalid"), "true");
  assert.match(await page.locator("#train-gamma-note").textContent(), /number from 0/);
  await scene.state("train", "running");

  // By keyboard on the slider, and kept with the run.
  const slider = scene.get("train-gamma-slider");
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  // A step that began before may still show what it took.
  const chosen = await scene.until("the slider has moved", () => slider.getAttribute("aria-valuetext"), (text) => text !== "0.75");
  await page.locator("#train-gamma-note").getByText(`Held at ${chosen}`).waitFor();
  await pause(scene);
  await page.reload();
  await scene.get("train-continue").click();
  await scene.state("train", "running");
  await page.locator("#train-gamma-note").getByText(`Held at ${chosen}`).waitFor();
});

story("a change is taken back: weights, settings and curves are those before it", {}, async (scene) => {
  await openTrain(scene);
  await start(scene);
  const before = await pause(scene);
  const gamma = await scene.get("train-gamma").inputValue();
  const samples = await scene.settled("train-samples");
  assert.equal(await scene.get("train-undo").isVisible(), false, "nothing to take back yet");

  await set(scene, "gamma", 5);
  const undo = scene.get("train-undo");
  await scene.until("it is offered", () => undo.textContent(), (text) => new RegExp(`at ${before.toLocaleString("en")} points`).test(text));
  await scene.get("train-pause").click();
  await moved(scene, before);
  await pause(scene);
  assert.notEqual((await scene.settled("train-samples")).digest, samples.digest, "it has learned since");

  await undo.click();
  await scene.until("it is back", () => scene.number("train-images"), (now) => now === before);
  await scene.state("train", "paused");
  await scene.until("the points too", () => scene.picture("train-samples"), ({ digest }) => digest === samples.digest);
  assert.equal(await scene.get("train-gamma").inputValue(), gamma);
  assert.equal(await undo.isVisible(), false);
  // What is kept is that, too.
  await scene.until("it is autosaved", () => scene.page.evaluate(autosavedImages), (saved) => saved === before);
});
