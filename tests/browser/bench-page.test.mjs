import assert from "node:assert/strict";

import { story } from "./story.mjs";

/** What the page has measured, when it is done. */
async function measured(scene) {
  await scene.state("state", "done", 280_000);
  return (await scene.get("bench-lines").textContent()).trim().split("\n").map((line) => JSON.parse(line));
}

/** Numbers that any clock and any machine gives. */
function sane(line, wanted) {
  for (const [key, value] of Object.entries({ peer: "r3gan", dtype: "f32", ...wanted })) assert.equal(line[key], value, key);
  assert.equal(line.error, undefined);
  const { min_s, median_s, max_s, images_per_s, batch } = line;
  assert.ok(0 < min_s && min_s <= median_s && median_s <= max_s && max_s < 300, JSON.stringify(line));
  assert.ok(Math.abs(images_per_s * median_s - batch) < 1e-9 * batch);
}

for (const device of ["cpu", "webgpu"]) {
  story(`the bench page measures what its address asks for, on ${device}`, {}, async (scene) => {
    const said = [];
    scene.page.on("console", (message) => said.push(message.text()));
    await scene.visit(`bench.html?preset=points&what=sample,first,iteration&batch=8&runs=2&warmup=1&device=${device}`);
    const lines = await measured(scene);
    assert.deepEqual(lines.map(({ what }) => what), ["sample", "first", "iteration"]);
    for (const line of lines) {
      sane(line, { preset: "points", device, batch: 8, runs: 2 });
      assert.ok(said.includes(JSON.stringify(line)), "the console has the line too");
    }
    assert.ok(lines[2].peak_bytes > 1e4);
    assert.equal(await scene.page.locator("#rows tr").count(), 3);
  });
}

story("the bench page measures what its form asks for, and says what it cannot", { webgpu: false }, async (scene) => {
  await scene.visit("bench.html?preset=points,tiny");
  await scene.state("state", "done");
  assert.match(await scene.text("bench-status"), /^preset: there is no 'tiny'; choose from demo-16, /);

  await scene.visit("bench.html?length=1&utm_source=x");
  assert.equal(await scene.page.locator("body").getAttribute("data-state"), "idle", "nothing runs unasked");
  await scene.get("bench-preset").selectOption("demo-16");
  await scene.get("bench-what").selectOption("critic");
  await scene.get("bench-batch").fill("2");
  await scene.get("bench-runs").fill("1");
  await scene.get("bench-start").click();
  const [critic, ...none] = await measured(scene);
  assert.deepEqual(none, []);
  sane(critic, { preset: "demo-16", what: "critic", device: "cpu", batch: 2, runs: 1 });
  assert.match(scene.page.url(), /\?preset=demo-16&what=critic&batch=2&runs=1$/, "the address asks for the same again");

  await scene.visit("bench.html?device=webgpu&preset=demo-16&runs=1", { webgpu: false });
  await scene.state("state", "done");
  const refused = JSON.parse(await scene.get("bench-lines").textContent());
  assert.match(refused.error, /WebGPU/);
});
