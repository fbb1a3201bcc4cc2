import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { alike } from "./pixels.mjs";
import { encode } from "./png.mjs";
import { FACES } from "./site.mjs";
import { story } from "./story.mjs";

/** Drops a file on the page, as from a file manager. */
async function drop(page, name, bytes) {
  const transfer = await page.evaluateHandle(
    ({ name, base64 }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      return transfer;
    },
    { name, base64: bytes.toString("base64") },
  );
  for (const kind of ["dragenter", "dragover", "drop"]) {
    await page.dispatchEvent("#tiles", kind, { dataTransfer: transfer, bubbles: true });
  }
}

story("a dropped model is opened, and what is not a model is named", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  const before = await scene.settled("sample-canvas");
  const model = await readFile(FACES);

  await drop(page, "small-faces.safetensors", model);
  await scene.facesAreOpen();
  const opened = await scene.changed("sample-canvas", before);
  assert.ok(opened.colours > 100);

  const says = (pattern) => page.locator("#notes, #status").getByText(pattern).first().waitFor();
  await drop(page, "holiday.png", encode(8, 8, () => [1, 2, 3]));
  await says(/holiday\.png.*PNG/);
  await drop(page, "half.safetensors", model.subarray(0, model.length / 2));
  await says(/half\.safetensors/);
  // The model that was there still is.
  await scene.live();
  assert.ok(alike(await scene.picture("sample-canvas"), opened));
  await scene.get("new-faces").click();
  await scene.changed("sample-canvas", opened);
});

story("a model is chosen with the file picker and by its address", { mounts: { "/models/": new URL("../fixtures/", import.meta.url).pathname } }, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), scene.get("open-model").click()]);
  await chooser.setFiles(FACES);
  await scene.facesAreOpen();
  const picked = await scene.settled("sample-canvas");

  await scene.visit("?device=cpu");
  await scene.live();
  await scene.get("model-url").fill(`${scene.server.origin}/models/pictures_by_seed/model.safetensors`);
  await scene.get("model-url-open").click();
  await page.getByTestId("facts").getByText(/16\s*[×x]\s*16/).waitFor();
  await scene.until("the same pictures", () => scene.picture("sample-canvas"), (now) => alike(now, picked));
});
