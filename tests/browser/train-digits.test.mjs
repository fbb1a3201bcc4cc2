import assert from "node:assert/strict";

import { choose, curve, moved, openTrain, pause, start } from "./training.mjs";
import { story } from "./story.mjs";

/** The critic learns fast at first: its loss falls from log 2 within this many pictures. */
const PICTURES = 192;
const BATCH = 8;

story("digits are trained with a falling loss, and no value that is not a number", { timeout: 480_000 }, async (scene, t) => {
  const { page } = scene;
  await openTrain(scene);
  await choose(scene, { dataset: "digits" });
  assert.match(await scene.text("train-dataset-note"), /pictures of \d+ x \d+ pixels/);
  await choose(scene, { batch: BATCH });
  await start(scene);

  const losses = [];
  for (let seen = 0; seen < PICTURES; ) {
    seen = await moved(scene, seen);
    losses.push(await curve(scene, "critic"));
    for (const label of ["critic", "generator", "R1", "R2"]) assert.ok(Number.isFinite(await curve(scene, label)), `${label} is a number`);
  }
  t.diagnostic(`critic's loss ${losses.map((loss) => loss.toFixed(2)).join(" ")}; ${await scene.text("train-rate-readout")} pictures a second`);
  // Single batches of 8 scatter.
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const third = Math.max(1, Math.floor(losses.length / 3));
  assert.ok(median(losses.slice(-third)) < 0.9 * median(losses.slice(0, third)), `the loss falls: ${losses}`);

  await pause(scene);
  const shown = await scene.picture("train-samples");
  assert.ok(shown.colours > 50);
  assert.equal(await page.getByTestId("train-message").textContent(), "");
});
