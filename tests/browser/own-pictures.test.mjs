import assert from "node:assert/strict";

import { choose, discs, moved, openTrain, pause, start } from "./training.mjs";
import { story } from "./story.mjs";

story("own pictures are cropped, previewed and trained on; bad files are named and left out", {}, async (scene) => {
  const { page } = scene;
  await openTrain(scene);
  await choose(scene, { dataset: "own", preset: "demo-16" });
  const good = [...discs(30, 40, 30), ...discs(1, 500, 300).map((disc) => ({ ...disc, name: "wide.png" }))];
  const bad = [
    { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("not a picture") },
    { name: "broken.png", mimeType: "image/png", buffer: good[0].buffer.subarray(0, 60) },
    { name: "empty.jpg", mimeType: "image/jpeg", buffer: Buffer.alloc(0) },
    { name: "text-as.png", mimeType: "image/png", buffer: Buffer.from("not a picture either") },
  ];
  await scene.get("train-own-files").setInputFiles([...good, ...bad]);
  const status = await scene.until("they are prepared", () => scene.text("train-own-status"), (text) => /ready/.test(text));
  assert.match(status, /31 pictures ready, 16 x 16/);
  assert.match(status, /4 files refused/);
  for (const { name } of bad) assert.ok((await scene.get("train-own-refused").textContent()).includes(name), `${name} is named`);
  assert.equal(await scene.get("train-own-preview").locator("img").count(), 31);
  const sizes = await scene.get("train-own-preview").locator("img").evaluateAll((images) =>
    Promise.all(images.map((image) => image.decode().then(() => `${image.naturalWidth}x${image.naturalHeight}`))),
  );
  assert.deepEqual([...new Set(sizes)], ["16x16"]);

  await choose(scene, { batch: 4 });
  await start(scene);
  await moved(scene, 8);
  await pause(scene);
  assert.ok((await scene.picture("train-samples")).colours > 20);

  // They are kept with the run.
  await page.reload();
  await scene.get("train-continue").click();
  await scene.state("train", "running");
  await moved(scene, 8);
});

story("nothing usable is said in one sentence, and nothing can be started", {}, async (scene) => {
  await openTrain(scene);
  await choose(scene, { dataset: "own" });
  const text = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("words") };
  await scene.get("train-own-files").setInputFiles([text]);
  await scene.until("it says so", () => scene.text("train-own-status"), (status) => /no picture among them/.test(status));
  assert.equal(await scene.get("train-start").getAttribute("aria-disabled"), "true");
  const zip = { name: "broken.zip", mimeType: "application/zip", buffer: Buffer.from("PK\x03\x04 and then nothing") };
  await scene.get("train-own-files").setInputFiles([zip]);
  await scene.until("it looks into it", () => scene.text("train-own-status"), (status) => /broken\.zip/.test(status));
  if ((await scene.get("train-start").getAttribute("aria-disabled")) !== "true") {
    await scene.get("train-start").click();
    await scene.until("the zip is named", () => scene.text("train-message"), (message) => /broken\.zip/.test(message));
    await scene.state("train", "idle");
  }
});
