import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { listZip, peek } from "../../../www/js/train/dataset-peek.js";

/** A zip without contents: central directory and end only (APPNOTE 4.3.12, 4.3.16). */
function zipOf(names, comment = "") {
  const parts = names.map((name) => {
    const text = new TextEncoder().encode(name);
    const entry = new Uint8Array(46 + text.length);
    const view = new DataView(entry.buffer);
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(10, 8, true);
    view.setUint32(20, 123, true);
    view.setUint16(28, text.length, true);
    entry.set(text, 46);
    return entry;
  });
  const end = new Uint8Array(22 + comment.length);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(10, names.length, true);
  view.setUint32(12, parts.reduce((sum, part) => sum + part.length, 0), true);
  return new Blob([...parts, end]);
}

test("a zip is listed without reading its contents", async () => {
  const entries = await listZip(zipOf(["a/é.png", "dataset.json"], "a comment"));
  assert.deepEqual(entries.map(({ name, method, packed }) => [name, method, packed]), [["a/é.png", 8, 123], ["dataset.json", 8, 123]]);
});

test("what is no zip is left to the trainer", async () => {
  for (const file of [new Blob([]), new Blob(["PK"]), new Blob([new Uint8Array(100)]), zipOf(["a.png"]).slice(3)]) {
    const seen = await peek({ kind: "zip", files: [{ path: "x.zip", file }] });
    assert.deepEqual([seen.count, seen.side], [null, null]);
  }
});

test("an IDX file says its size, packed or not", async () => {
  const head = new Uint8Array(16 + 2 * 28 * 28);
  const view = new DataView(head.buffer);
  [0x803, 2, 28, 28].forEach((word, index) => view.setUint32(4 * index, word));
  for (const [path, content] of [["train-images-idx3-ubyte", head], ["train-images-idx3-ubyte.gz", gzipSync(head)]]) {
    const seen = await peek({ kind: "idx", files: [{ path, file: new Blob([content]) }] });
    assert.deepEqual([seen.count, seen.side, seen.size, seen.labels], [2, 28, "28 x 28", false]);
  }
});
