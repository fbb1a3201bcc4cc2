// The line under the grid: what is happening, how many bytes are here, and the way out.

import { bytes } from "../shared/format.js";

const by = (id) => document.getElementById(id);

export class Progress {
  #parts = {};
  #expected = null;
  #fetching = false;

  /** A model is on its way. */
  get fetching() {
    return this.#fetching;
  }

  /** @param {import("./source.js").Source} source */
  begin(source, cancel) {
    this.#parts = {};
    this.#fetching = true;
    this.#expected = source.bytes;
    this.#status(source.local ? `Opening ${source.title}.` : `Fetching the program and the model${source.bytes ? ` (${bytes(source.bytes)})` : ""}.`);
    by("progress").hidden = false;
    by("progress").removeAttribute("value");
    by("progress-bytes").textContent = "";
    this.#button("cancel", cancel);
    by("retry").hidden = true;
  }

  /** @param {"wasm" | "model"} name */
  part(name, { loaded, total }) {
    if (!this.#fetching) return; // what still arrives after a cancel or a failure
    this.#parts[name] = { loaded, total: total ?? (name === "model" ? this.#expected : null) };
    const parts = Object.values(this.#parts);
    const loadedAll = parts.reduce((sum, part) => sum + part.loaded, 0);
    const known = parts.length === 2 && parts.every((part) => part.total !== null);
    const totalAll = known ? parts.reduce((sum, part) => sum + part.total, 0) : null;
    const bar = by("progress");
    if (totalAll) bar.value = Math.min(1, loadedAll / totalAll);
    else bar.removeAttribute("value");
    by("progress-bytes").textContent = totalAll ? `${bytes(loadedAll)} of ${bytes(totalAll)}` : bytes(loadedAll);
  }

  /** Everything is here; the device takes a moment. */
  starting(device) {
    this.#fetching = false;
    by("progress").removeAttribute("value");
    by("progress-bytes").textContent = "";
    this.#status(device === "cpu" ? "Starting the network on your CPU." : "Starting the network on your device.");
  }

  /** Pictures so far, where there are more to come. */
  drawn(done, all) {
    if (done < all) this.#status("Drawing live pictures.");
    by("progress").hidden = done >= all;
    by("progress").value = done / all;
    by("progress-bytes").textContent = done < all ? `${done} of ${all}` : "";
    by("cancel").hidden = true;
  }

  done(text) {
    this.#fetching = false;
    by("progress").hidden = true;
    by("progress-bytes").textContent = "";
    by("cancel").hidden = true;
    by("retry").hidden = true;
    this.#status(text);
  }

  failed(text, label, again) {
    this.done(text);
    by("retry").textContent = label;
    this.#button("retry", again);
  }

  #status(text) {
    by("status").textContent = text;
  }

  #button(id, run) {
    by(id).hidden = false;
    by(id).onclick = () => {
      by(id).hidden = true;
      run();
    };
  }
}
