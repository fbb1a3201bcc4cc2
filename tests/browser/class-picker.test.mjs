import assert from "node:assert/strict";

import { alike } from "./pixels.mjs";
import { DIGITS } from "./site.mjs";
import { story } from "./story.mjs";

story("a conditional model shows the class that is picked, and says it in the link", {}, async (scene) => {
  const { page } = scene;
  await scene.visit("?device=cpu");
  await scene.live();
  await scene.get("model-file").setInputFiles(DIGITS);
  await scene.get("class-select").waitFor();
  await scene.live();

  const options = await scene.get("class-select").locator("option").evaluateAll((all) => all.map((o) => o.value));
  assert.ok(options.includes("0") && options.includes("9"), `classes: ${options}`);
  const show = async (value, before) => {
    await scene.get("class-select").selectOption(value);
    return scene.changed("sample-canvas", before);
  };
  const start = await scene.settled("sample-canvas");
  const current = await scene.get("class-select").inputValue();
  const three = await show(current === "3" ? "4" : "3", start);
  const seven = await show("7", three);
  assert.match(page.url(), /[?&]class=7/);
  const again = await show(current === "3" ? "4" : "3", seven);
  assert.ok(alike(again, three), "the same class and seeds give the same pictures");
});
