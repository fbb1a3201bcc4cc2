import assert from "node:assert/strict";
import test from "node:test";
import { MOST_PICTURES, classify } from "../../../www/js/train/own-files.js";
import { preparePictures } from "../../../www/js/train/own-pictures.js";
import { centreSquare, fileRefusal, reductionSides, sizeRefusal } from "../../../www/js/train/picture-rules.js";

const found = (...paths) => paths.map((path) => ({ path, file: { type: "", size: 10 } }));
const paths = (entries) => entries.map(({ path }) => path);

test("pictures are taken in the order of their paths, the rest is refused by name", () => {
  const given = classify(found("b/2.PNG", "b/.DS_Store", "a/notes.txt", "a/10.jpeg", "__MACOSX/x.png", "Thumbs.db"));
  assert.equal(given.kind, "pictures");
  assert.deepEqual(paths(given.files), ["a/10.jpeg", "b/2.PNG"]);
  assert.deepEqual(given.refused, [{ path: "a/notes.txt", reason: "is not a picture" }]);
});

test("a file counts as a picture by its type too", () => {
  const given = classify([{ path: "photo", file: { type: "image/jpeg" } }]);
  assert.equal(given.kind, "pictures");
});

test("a zip is used as it is, alone", () => {
  assert.equal(classify(found("faces.ZIP")).kind, "zip");
  const two = classify(found("a.zip", "b.zip"));
  assert.deepEqual([two.kind, paths(two.files), paths(two.refused)], ["zip", ["a.zip"], ["b.zip"]]);
  const mixed = classify(found("a.zip", "b.png"));
  assert.deepEqual([mixed.kind, paths(mixed.files), paths(mixed.refused)], ["pictures", ["b.png"], ["a.zip"]]);
});

test("of MNIST's four files the training pair is used", () => {
  const set = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"];
  const given = classify(found(...set.map((name) => `mnist/${name}`)));
  assert.equal(given.kind, "idx");
  assert.deepEqual(paths(given.files), ["mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte"]);
  assert.equal(given.refused.length, 2);
});

test("CIFAR-10 batches belong together", () => {
  const given = classify(found("c/data_batch_2.bin", "c/data_batch_1.bin", "c/test_batch.bin"));
  assert.deepEqual([given.kind, given.files.length, paths(given.refused)], ["cifar", 2, ["c/test_batch.bin"]]);
});

test("nothing useful, too much, or too large is said", () => {
  assert.equal(classify([]).kind, "nothing");
  assert.equal(classify(found("a.txt")).kind, "nothing");
  const many = classify(found(...Array.from({ length: MOST_PICTURES + 2 }, (_, index) => `${index}.png`)));
  assert.deepEqual([many.files.length, many.refused.length], [MOST_PICTURES, 2]);
  const huge = classify([{ path: "huge.zip", file: { type: "", size: 2 ** 31 } }]);
  assert.equal(huge.kind, "nothing");
  assert.match(huge.refused[0].reason, /larger than/);
  assert.equal(fileRefusal(0), "is empty");
  assert.match(fileRefusal(2 ** 30), /larger than 64 MB/);
  assert.equal(fileRefusal(1000), null);
});

test("the crop is the middle square", () => {
  assert.deepEqual(centreSquare(640, 480), { x: 80, y: 0, side: 480 });
  assert.deepEqual(centreSquare(3, 8), { x: 0, y: 2, side: 3 });
  assert.match(sizeRefusal(7, 100), /only 7 x 100/);
  assert.equal(sizeRefusal(8, 8), null);
});

test("pictures are halved until they are small, without leaving out pixels", () => {
  assert.deepEqual(reductionSides(480, 32), [256, 128, 64, 32]);
  assert.deepEqual(reductionSides(63, 32), [32]);
  assert.deepEqual(reductionSides(20, 32), [32]);
  for (let from = 1; from < 9000; from += 13) {
    const sides = reductionSides(from, 64);
    assert.equal(sides.at(-1), 64);
    assert.ok(from >= 4096 || from / sides[0] < 2, `${from} to ${sides[0]} skips pixels`);
  }
});

/** A worker that answers, refuses, or dies, by the name of the file. */
class FakeWorker {
  static alive = 0;
  constructor() {
    FakeWorker.alive += 1;
  }
  postMessage({ path }) {
    setTimeout(() => {
      if (path.startsWith("dies")) this.onerror?.({ preventDefault() {} });
      else if (path.startsWith("bad")) this.onmessage?.({ data: { refused: "is bad" } });
      else if (!path.startsWith("never")) this.onmessage?.({ data: { bytes: new Uint8Array(1), enlarged: false } });
    }, Math.random() * 3);
  }
  terminate() {
    FakeWorker.alive -= 1;
  }
}
const startWorker = () => new FakeWorker();

test("a picture that kills its worker is refused, and the others go on", async () => {
  const files = found("a.png", "dies.png", "bad.png", "b.png", "dies2.png", "c.png");
  const progress = [];
  const prepared = await preparePictures(files, { side: 32, startWorker, onProgress: (done) => progress.push(done.count) });
  assert.deepEqual(prepared.pictures.map(({ name }) => name), ["00000-a.png", "00001-b.png", "00002-c.png"]);
  assert.deepEqual(paths(prepared.refused), ["dies.png", "bad.png", "dies2.png"]);
  assert.equal(progress.at(-1), 6);
  assert.equal(FakeWorker.alive, 0);
});

test("cancelling ends the workers at once", async () => {
  const cancel = new AbortController();
  const work = preparePictures(found("a.png", "never.png", "never2.png"), { side: 32, signal: cancel.signal, startWorker });
  setTimeout(() => cancel.abort(), 20);
  await assert.rejects(work, { name: "AbortError" });
  assert.equal(FakeWorker.alive, 0);
});
