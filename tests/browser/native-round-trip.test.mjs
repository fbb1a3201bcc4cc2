import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { choose, discs, moved, native, openTrain, pause, ready, start } from "./training.mjs";
import { story } from "./story.mjs";

story("a run on own pictures goes on in the command line, and comes back", { timeout: 480_000 }, async (scene, t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "r3gan-round-trip-"));
  t.after(() => rm(folder, { recursive: true, force: true }));

  await openTrain(scene);
  await choose(scene, { dataset: "own" });
  await scene.get("train-own-files").setInputFiles(discs(60, 24));
  await scene.until("they are ready", () => scene.text("train-own-status"), (text) => /60 pictures ready/.test(text));
  await choose(scene, { preset: "demo-16", batch: 4, seed: 7 });
  await start(scene);
  const seen = await pause(scene);

  const saved = async (testId) => {
    const { name, bytes } = await scene.download(() => scene.get(testId).click());
    await writeFile(path.join(folder, name), bytes);
    return name;
  };
  const checkpoint = await saved("train-export-checkpoint");
  const dataset = await saved("train-export-dataset");
  const model = await saved("train-export-model");
  assert.match(await native(["info", model], folder), /demo-16/);

  // The page says how to go on.
  const command = (await scene.text("train-command")).split(/\s+/);
  assert.equal(command.shift(), "r3gan");
  assert.ok(command.includes(checkpoint) && command.includes(dataset), `${command.join(" ")} names the files`);
  const out = command[command.indexOf("--out") + 1];
  assert.ok(out && !command.includes("--kimg"));
  const kimg = Math.ceil((seen + 100) / 1000);
  await native([...command, "--device", "cpu", "--kimg", String(kimg)], folder);
  const made = (await readdir(path.join(folder, out))).filter((name) => /^checkpoint-.*\.safetensors$/.test(name)).sort();
  assert.ok(made.length > 0, "it wrote a checkpoint");
  const newest = made.at(-1);

  await scene.get("train-new").click();
  await scene.state("train", "idle");
  await scene.get("train-import").setInputFiles(path.join(folder, out, newest));
  await scene.until("the checkpoint is read", () => scene.text("train-imported"), (text) => text.includes("demo-16"));
  await ready(scene);
  await scene.get("train-start").click();
  await scene.state("train", "running");
  const later = await moved(scene, seen);
  assert.ok(later >= kimg * 1000, `${later} of at least ${kimg * 1000} images`);

  // Another data set is refused by name, in the browser as natively.
  await pause(scene);
  const again = (await scene.download(() => scene.get("train-export-checkpoint").click())).bytes;
  assert.ok(again.length > 0 && (await readFile(path.join(folder, checkpoint))).length > 0);
});

story("a checkpoint of the command line goes on in the page, and another data set is refused", {}, async (scene, t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "r3gan-native-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const train = ["train", "--data", "ring8", "--preset", "points", "--device", "cpu", "--kimg", "5", "--out", "run"];
  await native(train, folder);
  const made = (await readdir(path.join(folder, "run"))).filter((name) => /^checkpoint-.*\.safetensors$/.test(name)).sort();
  const checkpoint = path.join(folder, "run", made.at(-1));

  await openTrain(scene);
  await choose(scene, { dataset: "grid25" });
  await scene.get("train-import").setInputFiles(checkpoint);
  await scene.until("the checkpoint is read", () => scene.text("train-imported"), (text) => text.includes("points"));
  await choose(scene, { dataset: "grid25" });
  await ready(scene);
  await scene.get("train-start").click();
  await scene.state("train", "idle");
  await scene.until("it says why", () => scene.text("train-message"), (text) => /data/.test(text));

  await choose(scene, { dataset: "ring8" });
  await ready(scene);
  await scene.get("train-start").click();
  await scene.state("train", "running");
  assert.ok((await moved(scene, 5000)) > 5000);
});
