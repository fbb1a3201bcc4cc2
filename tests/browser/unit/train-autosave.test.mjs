import assert from "node:assert/strict";
import test from "node:test";
import { Autosave } from "../../../www/js/train/autosave.js";
import { packFiles, unpackFiles } from "../../../www/js/train/packed-files.js";
import { Saver } from "../../../www/js/train/saver.js";
import { Shelf } from "../../../www/js/train/shelf.js";

const failure = (name, message = name) => Object.assign(new Error(message), { name });

/** The part of the browser's file system that is used; `budget` is how many writes succeed. */
class Folder {
  files = new Map();
  budget = Infinity;

  async getFileHandle(name, { create = false } = {}) {
    if (!this.files.has(name)) {
      if (!create) throw failure("NotFoundError");
      this.files.set(name, new Blob([]));
    }
    return {
      getFile: async () => this.files.get(name),
      createWritable: async () => {
        let content = null;
        return {
          write: async (blob) => {
            if (this.budget-- <= 0) throw failure("QuotaExceededError");
            content = blob;
          },
          close: async () => this.files.set(name, content),
          abort: async () => {},
        };
      },
    };
  }

  async removeEntry(name) {
    if (!this.files.delete(name)) throw failure("NotFoundError");
  }

  async *keys() {
    yield* [...this.files.keys()];
  }
}

const bytes = (...values) => Uint8Array.from(values);
const pictures = [{ name: "a.png", bytes: bytes(1, 2, 3) }, { name: "é.png", bytes: bytes() }];

test("a saved run comes back, with its pictures", async () => {
  const folder = new Folder();
  const autosave = new Autosave(folder);
  assert.equal(await autosave.load(), null);
  await autosave.begin(pictures);
  assert.equal(await autosave.describe(), null, "nothing is promised before the first save");
  await autosave.save(bytes(7, 8), { images: 100 });
  const later = new Autosave(folder);
  assert.deepEqual(await later.describe(), { images: 100 });
  assert.deepEqual(await later.load(), { checkpoint: bytes(7, 8), description: { images: 100 }, files: pictures });
});

test("saves replace one another and leave nothing behind", async () => {
  const folder = new Folder();
  const autosave = new Autosave(folder);
  await autosave.begin(pictures);
  for (let save = 0; save < 5; save++) await autosave.save(bytes(save), { save });
  assert.equal(folder.files.size, 4, "pointer, checkpoint, description, data");
  assert.deepEqual((await autosave.load()).checkpoint, bytes(4));
  await autosave.discard();
  assert.deepEqual([folder.files.size, await autosave.load()], [0, null]);
});

test("whenever a save dies, there is a whole run: the old or the new", async () => {
  for (let writes = 0; writes <= 3; writes++) {
    const folder = new Folder();
    const autosave = new Autosave(folder);
    await autosave.begin(pictures);
    await autosave.save(bytes(1), { images: 1 });
    folder.budget = writes;
    await autosave.save(bytes(2), { images: 2 }).catch(() => {});
    folder.budget = Infinity;
    const found = await new Autosave(folder).load();
    const images = writes === 3 ? 2 : 1;
    assert.deepEqual([found.checkpoint, found.description, found.files], [bytes(images), { images }, pictures], `${writes} writes`);
  }
});

test("a new run leaves the old one until it has saved something", async () => {
  const folder = new Folder();
  const first = new Autosave(folder);
  await first.begin(pictures);
  await first.save(bytes(1), { images: 1 });
  const second = new Autosave(folder);
  await second.begin([{ name: "b.png", bytes: bytes(9) }]);
  assert.deepEqual((await new Autosave(folder).load()).files, pictures);
  await second.save(bytes(2), { images: 2 });
  assert.equal((await new Autosave(folder).load()).files[0].name, "b.png");
  assert.equal(folder.files.size, 4);
});

test("a continued run keeps its data", async () => {
  const folder = new Folder();
  const first = new Autosave(folder);
  await first.begin(pictures);
  await first.save(bytes(1), { images: 1 });
  const second = new Autosave(folder);
  await second.load();
  await second.save(bytes(2), { images: 2 });
  assert.deepEqual((await new Autosave(folder).load()).files, pictures);
});

test("a damaged save is refused, not half read", async () => {
  const folder = new Folder();
  const autosave = new Autosave(folder);
  await autosave.save(bytes(1, 2, 3), {});
  const name = [...folder.files.keys()].find((key) => key.startsWith("checkpoint"));
  folder.files.set(name, new Blob([bytes(1)]));
  await assert.rejects(autosave.load(), /has 1 bytes, not 3/);
  folder.files.set("current.json", new Blob(["{"]));
  await assert.rejects(autosave.describe());
});

test("packed files are cut out again", async () => {
  const packed = await new Blob(packFiles(pictures)).arrayBuffer();
  assert.deepEqual(unpackFiles(packed), pictures);
  const some = [{ name: "a", bytes: bytes(1, 2) }];
  const whole = await new Blob(packFiles(some)).arrayBuffer();
  assert.throws(() => unpackFiles(whole.slice(0, -1)), /cut short at a/);
});

test("the saver writes one at a time, the newest last, and says how it went", async () => {
  let now = 0;
  const written = [];
  const told = [];
  let finish = () => {};
  const autosave = {
    save: async (checkpoint) => {
      await new Promise((resolve) => (finish = resolve));
      if (checkpoint[0] === 9) throw failure("QuotaExceededError");
      written.push(checkpoint[0]);
    },
  };
  const saver = new Saver({ autosave, describe: () => ({}), onStatus: (status) => told.push(status.state), now: () => now });
  now = 4999;
  assert.equal(saver.due, false);
  now = 5000;
  assert.equal(saver.due, true);
  const first = saver.save({ bytes: [1], images: 1 });
  saver.save({ bytes: [2], images: 2 });
  saver.save({ bytes: [3], images: 3 });
  assert.equal(saver.due, false);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 1));
  finish();
  await first;
  assert.deepEqual(written, [1, 3]);
  const failing = saver.save({ bytes: [9], images: 9 });
  finish();
  await failing;
  assert.deepEqual(told, ["waiting", "saved", "saved", "failed"]);
  assert.match(saver.status.reason, /no room/);
  assert.equal(saver.savedImages, 3);
  now += 59_999;
  assert.equal(saver.due, false, "a full disk is not tried again at once");
  now += 1;
  assert.equal(saver.due, true);
});

test("writing takes little of the time, and never leaves more than a minute unsaved", async () => {
  for (const [writeMs, interval] of [[10, 15_000], [300, 30_000], [5000, 60_000]]) {
    let now = 0;
    const autosave = { save: async () => (now += writeMs) };
    const saver = new Saver({ autosave, describe: () => ({}), onStatus: () => {}, now: () => now });
    await saver.save({ bytes: [1], images: 1 });
    now = interval - 1;
    assert.equal(saver.due, false, `${writeMs} ms`);
    now = interval;
    assert.equal(saver.due, true, `${writeMs} ms`);
  }
});

test("without a place to save, nothing is saved and that is known", async () => {
  const told = [];
  const saver = new Saver({ autosave: null, why: "No.", describe: () => ({}), onStatus: (status) => told.push(status) });
  await saver.save({ bytes: [1], images: 1 });
  assert.deepEqual([saver.due, told[0].state, told[0].reason], [false, "off", "No."]);
});

test("the shelf keeps the newest and a few older ones, spread over the run", () => {
  const shelf = new Shelf(4);
  for (let time = 0; time <= 3600; time += 15) shelf.put({ bytes: bytes(), images: time, time });
  const times = shelf.kept.map((kept) => kept.time);
  assert.equal(times[0], 3600);
  assert.equal(times.length, 4);
  assert.ok(times[1] >= 3000 && times[2] < times[1] - 15 && times[3] === 0, times.join());
  shelf.put({ bytes: bytes(1), images: 3600, time: 3601 });
  assert.equal(shelf.kept.filter(({ images }) => images === 3600).length, 1);
  while (shelf.kept.length > 1) shelf.drop();
  assert.equal(shelf.drop().images, 0, "the last one stays");
});
