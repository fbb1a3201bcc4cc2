import assert from "node:assert/strict";
import test from "node:test";
import { downloadNames, nativeCommand, pictureName } from "../../../www/js/train/naming.js";
import { collect } from "../../../www/js/train/own-pictures.js";

test("names of pictures are plain, ordered and different", () => {
  assert.equal(pictureName(3, "holiday/Été à la mer (1).JPG"), "00003-ete-a-la-mer-1.png");
  assert.equal(pictureName(12, "日本.png"), "00012-picture.png");
  assert.equal(pictureName(0, ".png"), "00000-picture.png");
  assert.ok(pictureName(0, `${"x".repeat(300)}.png`).length < 60);
});

test("the same files give the same names, whatever is refused between them", () => {
  const files = ["a/1.png", "a/2.png", "b/1.png"].map((path) => ({ path }));
  const good = { bytes: new Uint8Array(1), enlarged: false };
  const { pictures, refused, enlarged } = collect(files, [good, { refused: "is empty" }, { ...good, enlarged: true }]);
  assert.deepEqual(pictures.map(({ name }) => name), ["00000-1.png", "00001-1.png"]);
  assert.deepEqual(refused, [{ path: "a/2.png", reason: "is empty" }]);
  assert.equal(enlarged, 1);
});

test("downloads say what they are", () => {
  assert.deepEqual(downloadNames({ dataset: "ring8", preset: "points", images: 123_456 }), {
    model: "ring8-points-000123.safetensors",
    checkpoint: "ring8-points-checkpoint-000123.safetensors",
  });
});

test("the command is what a shell takes", () => {
  const plain = { data: "ring8", checkpoint: "c.safetensors", labels: false, mirror: false };
  assert.equal(nativeCommand(plain), "r3gan train --data ring8 --out run --resume c.safetensors");
  assert.equal(
    nativeCommand({ ...plain, data: "it's mine.zip", labels: true, mirror: true }),
    "r3gan train --data 'it'\\''s mine.zip' --out run --resume c.safetensors --cond --mirror",
  );
});
