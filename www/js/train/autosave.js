/**
 * One run, kept in the browser's private file system: checkpoint, description and, for own pictures, the data.
 *
 * Every save writes new files and then moves the small `current.json` to them, so whenever the page dies there is a
 * whole run: the old one or the new one.
 */

import { packFiles, unpackFiles } from "./packed-files.js";

const FOLDER = "training";
const POINTER = "current.json";
const FORMAT = 1;

/** @returns {Promise<Autosave | null>} null where the browser cannot. */
export async function openAutosave(storage = navigator.storage) {
  if (typeof FileSystemFileHandle === "undefined" || !("createWritable" in FileSystemFileHandle.prototype)) return null;
  try {
    const root = await storage.getDirectory();
    return new Autosave(await root.getDirectoryHandle(FOLDER, { create: true }));
  } catch {
    // Private windows of some browsers have the functions and refuse to use them.
    return null;
  }
}

/** @typedef {{format: number, checkpoint: Part, description: Part, data: Part | null}} Pointer */
/** @typedef {{name: string, bytes: number}} Part */

export class Autosave {
  /** @param {FileSystemDirectoryHandle} folder */
  constructor(folder) {
    this.folder = folder;
    /** @type {Part | null} The data of the run that is being saved. */
    this.data = null;
    this.queue = Promise.resolve();
  }

  /** A new run begins; `files` are the data set if it cannot be had again. The old run stays until the first save. */
  begin(files) {
    return this.#inTurn(async () => {
      this.data = files ? await this.#write("data", new Blob(packFiles(files))) : null;
    });
  }

  /** @param {Uint8Array} checkpoint @param {object} description plain data */
  save(checkpoint, description) {
    return this.#inTurn(async () => {
      const pointer = {
        format: FORMAT,
        checkpoint: await this.#write("checkpoint", new Blob([/** @type {BlobPart} */ (checkpoint)])),
        description: await this.#write("description", new Blob([JSON.stringify(description)])),
        data: this.data,
      };
      await this.#put(POINTER, new Blob([JSON.stringify(pointer)]));
      await this.#sweep(pointer);
    });
  }

  /**
   * What the saved run says about itself, without the large parts; null if there is none.
   * @returns {Promise<import("./training-run.js").SavedRun | null>}
   */
  async describe() {
    const pointer = await this.#pointer();
    if (!pointer) return null;
    const text = await (await this.#read(pointer.description)).text();
    return JSON.parse(text);
  }

  /** @returns {Promise<null | {checkpoint: Uint8Array, description: import("./training-run.js").SavedRun, files: import("./own-pictures.js").NamedBytes[] | null}>} */
  async load() {
    const pointer = await this.#pointer();
    if (!pointer) return null;
    const checkpoint = new Uint8Array(await (await this.#read(pointer.checkpoint)).arrayBuffer());
    const description = JSON.parse(await (await this.#read(pointer.description)).text());
    const files = pointer.data ? unpackFiles(await (await this.#read(pointer.data)).arrayBuffer()) : null;
    this.data = pointer.data;
    return { checkpoint, description, files };
  }

  discard() {
    return this.#inTurn(async () => {
      this.data = null;
      await this.#remove(POINTER);
      await this.#sweep(null);
    });
  }

  #inTurn(task) {
    const result = this.queue.then(task);
    this.queue = result.catch(() => {});
    return result;
  }

  async #write(kind, blob) {
    const name = `${kind}-${crypto.randomUUID()}.bin`;
    try {
      await this.#put(name, blob);
    } catch (error) {
      await this.#remove(name);
      throw error;
    }
    return { name, bytes: blob.size };
  }

  /** The browser writes beside the file and swaps at `close`. */
  async #put(name, blob) {
    const handle = await this.folder.getFileHandle(name, { create: true });
    const stream = await handle.createWritable();
    try {
      await stream.write(blob);
      await stream.close();
    } catch (error) {
      await stream.abort?.().catch(() => {});
      throw error;
    }
  }

  async #read({ name, bytes }) {
    const file = await (await this.folder.getFileHandle(name)).getFile();
    if (file.size !== bytes) throw new Error(`the saved file ${name} has ${file.size} bytes, not ${bytes}`);
    return file;
  }

  async #pointer() {
    let file;
    try {
      file = await (await this.folder.getFileHandle(POINTER)).getFile();
    } catch (error) {
      if (error.name === "NotFoundError") return null;
      throw error;
    }
    const pointer = JSON.parse(await file.text());
    if (pointer?.format !== FORMAT) throw new Error("the saved run was written by another version of this page");
    return pointer;
  }

  async #sweep(pointer) {
    const needed = [POINTER, pointer?.checkpoint, pointer?.description, pointer?.data, this.data];
    const names = needed.map((part) => part?.name ?? part);
    const all = [];
    for await (const name of this.folder.keys()) all.push(name);
    for (const name of all) if (!names.includes(name)) await this.#remove(name);
  }

  async #remove(name) {
    try {
      await this.folder.removeEntry(name);
    } catch {
      // It is not there, or the next sweep takes it.
    }
  }
}
