import assert from "node:assert/strict";

import { openTrain, pause, start } from "./training.mjs";
import { story } from "./story.mjs";

story("one step of each player, and slow motion", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await start(scene);
  await pause(scene);
  const steps = async () => [await scene.number("train-critic-steps"), await scene.number("train-generator-steps")];
  const [critic, generator] = await steps();

  await scene.get("train-step-critic").click();
  await scene.until("a critic step", steps, ([now]) => now === critic + 1);
  assert.equal((await steps())[1], generator);
  await scene.until("it says so", () => scene.text("train-stage"), (text) => /critic has learned/.test(text));
  const before = await scene.settled("train-samples");

  await scene.get("train-step-generator").click();
  await scene.until("a generator step", steps, ([, now]) => now === generator + 1);
  assert.equal((await steps())[0], critic + 1);
  await scene.until("it says so", () => scene.text("train-stage"), (text) => /generator has learned/.test(text));
  await scene.changed("train-samples", before);
  await scene.state("train", "paused");

  // With half a second's rest the players take turns, and the page says whose turn it is.
  await scene.get("train-slow").check({ force: true });
  await scene.get("train-delay").fill("0.5");
  await scene.get("train-pause").click();
  await scene.state("train", "running");
  await scene.until("the critic's turn", () => scene.text("train-stage"), (text) => /The critic learns/.test(text));
  await scene.until("the generator's turn", () => scene.text("train-stage"), (text) => /The generator learns/.test(text));
  const [slowCritic, slowGenerator] = await scene.until("both have moved", steps, ([c, g]) => c > critic + 2 && g > generator + 2);
  assert.ok(Math.abs(slowCritic - slowGenerator) <= 1, "they take turns");
  await page.getByTestId("train-slow").uncheck({ force: true });
  await scene.until("full speed", steps, ([c]) => c > slowCritic + 20);
});
