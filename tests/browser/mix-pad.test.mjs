import assert from "node:assert/strict";

import { story } from "./story.mjs";

story("the mix pad mixes by pointer and by keyboard, and its corners are the pictures themselves", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  await scene.openFaces();
  const pad = scene.get("mix-pad");
  await pad.scrollIntoViewIfNeeded();
  let shown = await scene.until("a mixture is drawn", () => scene.picture("mix-canvas"), ({ colours }) => colours > 20);

  const says = await pad.getAttribute("aria-valuetext");
  await pad.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  shown = await scene.changed("mix-canvas", shown);
  assert.notEqual(await pad.getAttribute("aria-valuetext"), says);

  const box = await pad.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * 0.3, { steps: 8 });
  shown = await scene.changed("mix-canvas", shown);
  await page.mouse.move(box.x + 1, box.y + 1, { steps: 8 });
  await page.mouse.up();
  const corner = await scene.changed("mix-canvas", shown);
  assert.ok(corner.colours > 20);

  await page.locator('input[name="mix-count"][value="2"]').check({ force: true });
  await pad.press("End");
  const other = await scene.changed("mix-canvas", corner);
  await scene.get("mix-shuffle").click();
  await scene.changed("mix-canvas", other);
});
