import assert from "node:assert/strict";
import { stat } from "node:fs/promises";

import { FACES, folder } from "./site.mjs";
import { story } from "./story.mjs";

const PATH = "/models/pictures_by_seed/model.safetensors";

/** Bytes a second: a quarter of a minute for this file, until its connection breaks. */
let rate = 8_000;
const options = {
  mounts: { "/models/": folder("tests/fixtures/") },
  slow: (path) => (path === PATH ? rate : undefined),
};

story("a model whose download breaks off goes on where it stopped", options, async (scene) => {
  const { page, server } = scene;
  const { size } = await stat(FACES);
  await scene.visit("?device=cpu");
  await scene.live();
  await scene.settled("sample-canvas");
  await scene.get("model-url").fill(server.origin + PATH);
  await scene.get("model-url-open").click();
  const first = await scene.until("bytes arrive", async () => server.requests.find(({ path, bytes }) => path === PATH && bytes > 0));
  await scene.until("some are counted", () => scene.text("progress-bytes"), (text) => /[1-9]/.test(text));
  assert.equal(first.range, undefined);

  await server.offline();
  const note = page.locator("#notes").getByText(/connection broke.*kept/);
  await note.waitFor();
  await scene.live();
  assert.match(await scene.text("model-name"), /faces/i, "the model before is still there");
  scene.errors.forgive(/ERR_CONNECTION|ERR_INCOMPLETE|ERR_CONTENT_LENGTH|net::/);

  await server.online();
  rate = undefined;
  await page.locator("#notes").getByRole("button", { name: /again/i }).click();
  await scene.facesAreOpen();
  const rest = server.requests.filter(({ path, status }) => path === PATH && status === 206);
  assert.equal(rest.length, 1, "the rest is fetched in one piece");
  const from = Number(/^bytes=(\d+)-$/.exec(rest[0].range)[1]);
  assert.ok(from > 0 && from < size, `it goes on at ${from} of ${size}`);

  // A second visit asks whether it is still the same, and fetches nothing.
  const before = server.requests.length;
  await page.reload();
  await scene.facesAreOpen();
  const again = server.requests.slice(before).filter(({ path }) => path === PATH);
  assert.deepEqual(again.map(({ method }) => method), ["HEAD"]);
});
