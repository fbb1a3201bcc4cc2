import assert from "node:assert/strict";

import { curve, moved, openTrain, start } from "./training.mjs";
import { story } from "./story.mjs";

/** Enough for most seeds several times over, on a busy machine. */
const PATIENCE = 420_000;

story("Ring8 is trained until at least 7 of its 8 modes are covered", { timeout: PATIENCE + 60_000 }, async (scene, t) => {
  await openTrain(scene);
  await start(scene);
  const first = await scene.picture("train-samples");
  assert.ok(first.colours > 20, "points and the critic's surface are drawn");

  const covered = await scene.until(
    "modes are covered",
    async () => (await scene.get("train-coverage").isVisible()) && (await scene.number("train-coverage")),
    (modes) => modes >= 7,
    PATIENCE,
  );
  t.diagnostic(`${covered} modes after ${await scene.text("train-images")} points in ${await scene.text("train-time")}`);
  assert.notEqual((await scene.picture("train-samples")).digest, first.digest);
  assert.match(await scene.get("train-samples").getAttribute("aria-label"), /modes covered/);

  for (const label of ["critic", "generator", "R1", "R2", "real minus generated"]) {
    assert.ok(Number.isFinite(await curve(scene, label)), `${label} is a number`);
  }
  const speed = await scene.number("train-rate-readout");
  assert.ok(speed > 0);
  await moved(scene, await scene.number("train-images"));
});
