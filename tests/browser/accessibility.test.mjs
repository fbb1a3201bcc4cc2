import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { choose, moved, openTrain, pause, start } from "./training.mjs";
import { story } from "./story.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** axe's violations in both themes, a line each. */
async function violations(scene, what) {
  const { page } = scene;
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((scheme) => document.documentElement.dataset.theme === scheme, colorScheme);
    // Colours that are on their way count as neither.
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations", "passes"] }));
    assert.ok(result.passes.length > 15, `axe looked: ${result.passes.length} rules passed`);
    for (const { id, help, nodes } of result.violations) {
      found.push(...nodes.map(({ target, failureSummary }) => `${what}, ${colorScheme}: ${id} (${help}) at ${target.join(" ")}: ${failureSummary}`));
    }
  }
  return found;
}

for (const [size, viewport] of Object.entries({ wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } })) {
  story(`axe finds nothing in the Sample view, ${size}`, { context: { viewport } }, async (scene) => {
    const { page } = scene;
    await scene.visit("?device=cpu");
    await scene.live();
    const found = await violations(scene, "live");
    await scene.get("model-card").click();
    await page.locator("#card-dialog[open]").waitFor();
    found.push(...(await violations(scene, "model card")));
    await page.keyboard.press("Escape");
    await scene.get("model-file").setInputFiles({ name: "nothing.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("nothing") });
    await page.getByTestId("note").first().waitFor();
    found.push(...(await violations(scene, "with a note")));
    await scene.openFaces();
    found.push(...(await violations(scene, "another model")));
    assert.deepEqual(found, []);
  });

  story(`axe finds nothing in the Train view, ${size}`, { context: { viewport } }, async (scene) => {
    await openTrain(scene);
    const found = await violations(scene, "form");
    await choose(scene, { dataset: "own" });
    const bad = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("words") };
    await scene.get("train-own-files").setInputFiles([bad]);
    await scene.get("train-own-refused").waitFor();
    found.push(...(await violations(scene, "own pictures")));
    await choose(scene, { dataset: "ring8" });
    await start(scene);
    await moved(scene, 1000);
    await pause(scene);
    found.push(...(await violations(scene, "a run")));
    await scene.get("train-slow").check({ force: true });
    found.push(...(await violations(scene, "slow motion")));
    await scene.get("train-new").click();
    await scene.state("train", "idle");
    await scene.get("train-discard").click();
    found.push(...(await violations(scene, "a question")));
    assert.deepEqual(found, []);
  });
}

story("everything in the Sample view is reached and used by keyboard", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip/);
  const wanted = ["tab-train", "theme-toggle", "new-faces", "seed-input", "download-grid", "download-png", "copy-link", "walk-play", "walk-speed", "mix-pad", "mix-shuffle", "model-card", "model-url"];
  const reached = new Set();
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const { id, ring } = await page.evaluate(() => {
      const { activeElement: element } = document;
      const style = getComputedStyle(element);
      return { id: element.dataset.testid, ring: style.outlineStyle !== "none" || style.boxShadow !== "none" };
    });
    if (id) reached.add(id);
    if (wanted.includes(id)) assert.ok(ring, `${id} shows that it has the focus`);
  }
  assert.deepEqual(wanted.filter((id) => !reached.has(id)), []);

  await scene.get("choices").locator("[aria-selected=true]").focus();
  const title = await scene.text("portrait-title");
  await page.keyboard.press("ArrowRight");
  await scene.until("the next is chosen", () => scene.text("portrait-title"), (now) => now !== title);
});
