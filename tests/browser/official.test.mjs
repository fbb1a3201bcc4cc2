import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { SNAPSHOT, packageModule } from "./site.mjs";
import { story } from "./story.mjs";

/** A tensor of bytes of a safetensors file. */
function bytesOf(file, name) {
  const length = Number(file.readBigUInt64LE(0));
  const { shape, data_offsets: [begin, end] } = JSON.parse(file.toString("utf8", 8, 8 + length))[name];
  return { shape, bytes: file.subarray(8 + length + begin, 8 + length + end) };
}

/** The pixels of seeds 0 and 1 of a file that the package opens, without the fourth channel. */
async function sampled({ module, address }) {
  const { Sampler } = await import(new URL(module, document.baseURI).href);
  const sampler = await Sampler.load(address, { device: "cpu" });
  const { pixels } = await sampler.sample({ seeds: [0, 1] });
  const { info } = sampler;
  sampler.dispose();
  return { info, rgb: Array.from(pixels).filter((_, index) => index % 4 !== 3) };
}

const MOUNTS = { "/models/": new URL("../fixtures/", import.meta.url).pathname };

story("an official snapshot makes its pictures in the page", { mounts: MOUNTS }, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  const before = await scene.settled("sample-canvas");

  // With the file picker; the first byte of a pickle decides, not its name.
  await scene.get("model-file").setInputFiles(SNAPSHOT);
  await scene.facesAreOpen();
  const facts = await scene.text("facts");
  assert.match(facts, /custom/);
  assert.match(facts, /12 pictures seen/);
  assert.match(facts, /official R3GAN snapshot/);
  const opened = await scene.changed("sample-canvas", before);
  await scene.get("new-faces").click();
  await scene.changed("sample-canvas", opened);

  // To the level what the official gen_images wrote.
  const address = `${scene.server.origin}/models/official_pickle/tiny-network-snapshot.pkl`;
  const { info, rgb } = await page.evaluate(sampled, { module: packageModule(), address });
  assert.deepEqual([info.kind, info.images, info.width, info.latent], ["model", 12, 16, 16]);
  const { shape, bytes } = bytesOf(await readFile(SNAPSHOT.replace(/\.pkl$/, ".expected.safetensors")), "gen_images_uint8_hwc");
  assert.deepEqual(shape, [2, 16, 16, 3]);
  const most = rgb.reduce((most, level, index) => Math.max(most, Math.abs(level - bytes[index])), 0);
  // The browser adds in another order, and a fraction that is cut off may fall on the other side.
  assert.ok(rgb.length === bytes.length && most <= 1, `levels differ by ${most}`);
});

story("a pickle that is no snapshot is refused by name, and nothing in it runs", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  const says = (pattern) => page.locator("#notes, #status").getByText(pattern).first().waitFor();
  const open = (name, buffer) => scene.get("model-file").setInputFiles({ name, mimeType: "application/octet-stream", buffer });

  await open("evil.pkl", Buffer.from("\x80\x02cos\nsystem\n(X\x02\0\0\0lstR.", "latin1"));
  await says(/evil\.pkl.*os\.system.*nothing was run/);
  await open("half.pkl", (await readFile(SNAPSHOT)).subarray(0, 200_000));
  await says(/half\.pkl.*cut short/);
  // The model that was there still is.
  await scene.live();
});
