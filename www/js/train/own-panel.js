/** Own pictures in the form: take, prepare, show, refuse. */

import { count } from "../shared/format.js";
import { peek } from "./dataset-peek.js";
import { chosenFiles, droppedFiles } from "./dropped.js";
import { make, part } from "./elements.js";
import { classify } from "./own-files.js";
import { preparePictures } from "./own-pictures.js";

const SHOWN = 48;
const REFUSED_SHOWN = 200;
/** Below this many pictures the critic learns them by heart. */
const FEW = 50;

export class OwnPanel {
  /** @param {() => void} onChange what is ready has changed */
  constructor(onChange) {
    this.onChange = onChange;
    this.side = 32;
    this.clear();
    const take = (input) => async () => {
      const found = chosenFiles(input);
      input.value = "";
      if (found.length > 0) await this.take(found);
    };
    for (const [button, input] of [["choose-files", "own-files"], ["choose-folder", "own-folder"]]) {
      part(button).addEventListener("click", () => part(input).click());
      part(input).addEventListener("change", take(part(input)));
    }
    part("own-cancel").addEventListener("click", () => this.clear());
    part("own-clear").addEventListener("click", () => this.clear());
  }

  /** Single pictures, which are resized; a zip or a binary set stays as it is. */
  get resizable() {
    return this.given?.kind !== "zip" && this.given?.kind !== "idx" && this.given?.kind !== "cifar";
  }

  get busy() {
    return this.work !== null;
  }

  /** The data set, or null while there is none. @returns {(() => Promise<import("./own-pictures.js").NamedBytes[]>) | null} */
  get files() {
    if (this.busy || !this.given) return null;
    if (this.given.kind === "pictures") {
      const { pictures } = this.prepared ?? { pictures: [] };
      return pictures.length > 0 ? async () => pictures : null;
    }
    return this.given.kind === "nothing" ? null : () => readAll(this.given.files);
  }

  /** @param {DataTransfer} transfer */
  async drop(transfer) {
    await this.take(await droppedFiles(transfer));
  }

  /** @param {import("./own-files.js").Found[]} found */
  async take(found) {
    this.clear();
    this.given = classify(found);
    part("own-result").hidden = false;
    part("own-clear").hidden = false;
    if (this.given.kind === "pictures") return this.prepare();
    this.#refuse(this.given.refused);
    if (this.given.kind === "nothing") {
      const none = found.length === 0 ? "There was no file in it." : "There is no picture among them.";
      part("own-status").textContent = `${none} PNG, JPEG, WebP and the other kinds that browsers show will do.`;
    } else {
      await this.#peek();
    }
    this.onChange();
  }

  /** The preset's side; prepared pictures are made again. */
  async resize(side) {
    if (side === this.side) return;
    this.side = side;
    if (this.given?.kind === "pictures") await this.prepare();
  }

  async prepare() {
    this.work?.abort();
    const work = new AbortController();
    this.work = work;
    this.prepared = null;
    this.#preview([]);
    this.#progress(true);
    this.onChange();
    const { files, refused } = this.given;
    const status = part("own-status");
    status.textContent = `Preparing ${counted(files.length, "picture")}.`;
    try {
      const prepared = await preparePictures(files, {
        side: this.side,
        signal: work.signal,
        onProgress: (done) => this.#tellProgress(done, files.length),
      });
      if (this.work !== work) return;
      this.prepared = prepared;
      this.#preview(prepared.pictures.slice(0, SHOWN).map(({ name, bytes }) => ({ name, blob: new Blob([bytes], { type: "image/png" }) })));
      this.#refuse([...refused, ...prepared.refused]);
      status.textContent = this.#summary(prepared, refused.length + prepared.refused.length);
    } catch (error) {
      if (this.work !== work) return;
      if (error.name !== "AbortError") status.textContent = `The pictures could not be prepared (${error.message}).`;
    }
    this.work = null;
    this.#progress(false);
    this.onChange();
  }

  clear() {
    this.work?.abort();
    this.work = null;
    this.given = null;
    this.prepared = null;
    /** @type {import("./dataset-peek.js").Peek | null} */
    this.seen = null;
    this.#preview([]);
    this.#refuse([]);
    this.#progress(false);
    part("own-status").textContent = "";
    part("own-result").hidden = true;
    part("own-clear").hidden = true;
    this.onChange();
  }

  async #peek() {
    const { given } = this;
    const { path } = given.files[0];
    part("own-status").textContent = `Looking into ${path}.`;
    const seen = await peek(given);
    if (this.given !== given) return;
    this.seen = seen;
    const many = seen.count === null ? "a data set" : counted(seen.count, "picture");
    const size = seen.size === null ? "" : ` of ${seen.size} pixels`;
    part("own-status").textContent = `${path}: ${many}${size}, used as ${given.kind === "zip" ? "it is" : "they are"}.`;
    this.#preview(seen.pictures.map((blob, index) => ({ name: `Picture ${index + 1} of ${path}`, blob })));
  }

  #summary({ pictures, enlarged }, refused) {
    if (pictures.length === 0) return "None of these could be used.";
    const parts = [`${counted(pictures.length, "picture")} ready, ${this.side} x ${this.side} pixels each.`];
    if (refused > 0) parts.push(`${counted(refused, "file")} refused.`);
    if (enlarged > 0) parts.push(`${count(enlarged)} smaller than that had to be enlarged.`);
    if (pictures.length < FEW) parts.push("So few are soon learned by heart; more of one kind work better.");
    return parts.join(" ");
  }

  #tellProgress({ count: done, accepted, refused }, all) {
    part("own-progress").value = done / all;
    const bad = refused > 0 ? `, ${count(refused)} refused` : "";
    part("own-count").textContent = `${count(accepted)} of ${count(all)} ready${bad}`;
  }

  #progress(shown) {
    part("own-progress").hidden = !shown;
    part("own-progress").value = 0;
    part("own-count").textContent = "";
    part("own-cancel").hidden = !shown;
    if (this.given) part("own-clear").hidden = shown;
  }

  #preview(pictures) {
    const place = part("own-preview");
    for (const image of place.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    place.replaceChildren(
      ...pictures.map(({ name, blob }) =>
        make("li", {}, make("img", { src: URL.createObjectURL(blob), alt: name, title: name, width: 48, height: 48 })),
      ),
    );
    place.hidden = pictures.length === 0;
  }

  #refuse(refused) {
    const place = part("own-refused");
    place.hidden = refused.length === 0;
    place.open = refused.length > 0 && refused.length <= 3;
    place.querySelector("summary").textContent = `${counted(refused.length, "file")} refused, and why`;
    const items = refused.slice(0, REFUSED_SHOWN).map(({ path, reason }) => make("li", {}, make("span", { className: "path", textContent: path }), ` ${reason}`));
    if (refused.length > REFUSED_SHOWN) items.push(make("li", { textContent: `and ${count(refused.length - REFUSED_SHOWN)} more` }));
    place.querySelector("ul").replaceChildren(...items);
  }
}

function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

async function readAll(files) {
  return Promise.all(
    files.map(async ({ path, file }) => {
      const name = path.split("/").pop();
      try {
        return { name, bytes: new Uint8Array(await file.arrayBuffer()) };
      } catch {
        throw Object.assign(new Error(`${name} can no longer be read; choose it again.`), { name: "InputError" });
      }
    }),
  );
}
