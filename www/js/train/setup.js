/** The form for a new run: data set, preset, settings. */

import { bytes, count, short } from "../shared/format.js";
import { allow, make, onPress, part, relabel } from "./elements.js";
import { OwnPanel } from "./own-panel.js";
import { fitting, recommended } from "./presets.js";
import { OWN_ID, POINT_SETS, catalogSource } from "./sources.js";

const NOTES = {
  points: "small perceptrons",
  "demo-16": "16 x 16 pixels, the quickest",
  "demo-32": "32 x 32 pixels",
  "demo-64": "64 x 64 pixels, takes patience",
};
const MOST_BATCH = 4096;
const MOST_SEED = 2 ** 32 - 1;

export class Setup {
  /**
   * @param {object} on
   * @param {() => void} on.start
   * @param {() => void} on.cancel
   * @param {(progress: object) => void} on.download
   */
  constructor(on) {
    this.on = on;
    /** @type {import("./presets.js").Preset[]} */
    this.presets = [];
    /** @type {import("./sources.js").CatalogDataset[]} */
    this.datasets = [];
    /** @type {"webgpu" | "cpu"} */
    this.device = "webgpu";
    /** Why nothing can be started yet. */
    this.waiting = "The program is being fetched.";
    /** @type {{file: File, header: import("./checkpoint-header.js").CheckpointHeader} | null} */
    this.imported = null;
    /** @type {string | null} What a start is busy with. */
    this.starting = null;
    this.own = new OwnPanel(() => this.update());
    part("datasets").addEventListener("change", () => this.update());
    part("preset").addEventListener("change", () => this.#presetChosen());
    for (const name of ["batch", "seed"]) part(name).addEventListener("input", () => this.#check());
    part("setup").addEventListener("submit", (event) => event.preventDefault());
    onPress(part("start"), () => this.on.start());
    part("cancel").addEventListener("click", () => this.on.cancel());
  }

  /** @param {{presets: import("./presets.js").Preset[], device: "webgpu" | "cpu"}} known */
  ready({ presets, device }) {
    this.presets = presets;
    this.device = device;
    this.waiting = null;
    this.#showProgress(false);
    this.update();
  }

  /** @param {import("./sources.js").CatalogDataset[]} datasets */
  offer(datasets) {
    this.datasets = datasets;
    for (const card of part("datasets").querySelectorAll(".dataset")) {
      const input = card.querySelector("input");
      if (input.value === "own" || input.value in POINT_SETS) continue;
      const set = datasets.find(({ id }) => id === input.value);
      card.hidden = !set;
      input.disabled = !set;
      if (set) card.querySelector(".dataset-title").textContent = set.title;
    }
    this.update();
  }

  get chosen() {
    return part("datasets").querySelector("input:checked").value;
  }

  choose(id) {
    const input = [...part("datasets").querySelectorAll("input")].find(({ value }) => value === id);
    if (!input || input.disabled) return;
    input.checked = true;
    this.update();
  }

  /** What the presets have to fit. @returns {import("./presets.js").Content} */
  get content() {
    if (this.chosen in POINT_SETS) return { kind: "points" };
    if (this.chosen !== "own") return { kind: "pictures", side: this.#set?.side };
    const { side, size } = this.own.seen ?? {};
    // Of what could not be looked into, anything may be tried.
    return this.own.resizable || !size ? { kind: "own" } : { kind: "pictures", side };
  }

  get #set() {
    return this.datasets.find(({ id }) => id === this.chosen);
  }

  get preset() {
    return this.presets.find(({ name }) => name === part("preset").value) ?? null;
  }

  /** @param {Setup["imported"]} imported a checkpoint to go on from */
  use(imported) {
    this.imported = imported;
    const place = part("imported");
    place.hidden = !imported;
    place.replaceChildren();
    if (imported) {
      const { file, header } = imported;
      const remove = make("button", { type: "button", className: "button quiet", textContent: "Remove" });
      remove.addEventListener("click", () => {
        this.use(null);
        part("import-button").focus();
      });
      place.append(
        make("span", {}, make("strong", { textContent: file.name }), `: ${header.preset} after ${count(header.images)} images. Choose the data set that it learned from.`),
        remove,
      );
      part("labels").checked = header.classes > 0;
      if (header.preset === "points" && this.content.kind !== "points") this.choose("ring8");
      if (header.preset !== "points" && this.content.kind === "points") this.choose(this.datasets[0]?.id ?? "own");
    }
    this.update();
  }

  /** Everything that follows from what is chosen. */
  update() {
    if (!this.own) return;
    part("own").hidden = this.chosen !== "own";
    this.#offerPresets();
    const labels = this.chosen in POINT_SETS || (this.chosen === "own" ? this.own.seen?.labels === true : Boolean(this.#set?.labels));
    part("labels-row").hidden = !labels && !this.imported?.header.classes;
    if (part("labels-row").hidden) part("labels").checked = false;
    part("mirror-row").hidden = this.chosen in POINT_SETS;
    if (part("mirror-row").hidden) part("mirror").checked = false;
    for (const name of ["preset", "batch", "seed"]) part(name).disabled = Boolean(this.imported);
    part("dataset-note").textContent = this.#datasetNote();
    relabel(part("start"), "play", this.imported ? "Go on from the checkpoint" : "Start training");
    relabel(part("import-button"), "upload", this.imported ? "Another checkpoint" : "Import a checkpoint");
    this.#presetChosen();
  }

  #datasetNote() {
    const set = this.#set;
    if (!set) return "";
    const size = set.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
    const parts = [`${count(set.items)} pictures of ${set.side} x ${set.side} pixels, ${bytes(size)}.`, set.origin, set.licence && `Licence: ${set.licence}.`];
    return parts.filter(Boolean).join(" ");
  }

  #offerPresets() {
    if (this.presets.length === 0) return;
    const select = part("preset");
    const choices = fitting(this.presets, this.content);
    const names = choices.map(({ name }) => name);
    const before = this.imported ? this.imported.header.preset : select.value;
    select.replaceChildren(...choices.map(({ name }) => make("option", { value: name, textContent: `${name}: ${NOTES[name]}` })));
    const preferred = this.chosen === "own" ? null : this.#set?.preset;
    const first = recommended(choices, { device: this.device, preferred });
    const kept = names.includes(before) && (this.imported || this.presetFor === this.chosen);
    if (names.length > 0) select.value = kept ? before : first.name;
    this.presetFor = this.chosen;
  }

  #presetChosen() {
    const { preset } = this;
    part("batch").placeholder = preset ? String(preset.batch) : "";
    part("preset-note").textContent = preset ? `${short(preset.parameters)} parameters, γ from ${preset.gamma}, learning rate from ${preset.learningRate}.` : "";
    if (preset && this.content.kind === "own") this.own.resize(preset.side);
    this.#check();
  }

  /** What is wrong with the form, or why it has to wait. */
  #check() {
    const batch = numberIn(part("batch"), 1, MOST_BATCH);
    const seed = numberIn(part("seed"), 0, MOST_SEED);
    part("batch").setAttribute("aria-invalid", String(batch === undefined));
    part("seed").setAttribute("aria-invalid", String(seed === undefined || seed === null));
    const wrong = [
      batch === undefined && `The batch is a whole number from 1 to ${count(MOST_BATCH)}.`,
      (seed === undefined || seed === null) && `The seed is a whole number from 0 to ${count(MOST_SEED)}.`,
    ].filter(Boolean);
    part("form-error").textContent = wrong.join(" ");
    const wait = this.#wait();
    part("start-note").textContent = wait ?? this.#advice();
    allow(part("start"), !wait && wrong.length === 0 && !this.starting);
  }

  #wait() {
    if (this.starting) return this.starting;
    if (this.waiting) return this.waiting;
    if (this.chosen === "own") {
      if (this.own.busy) return "The pictures are being prepared.";
      if (!this.own.files) return "Choose some pictures first.";
    }
    if (fitting(this.presets, this.content).length === 0) {
      return `No networks fit pictures of ${this.own.seen?.size} pixels. Unpack them and drop the folder: then they are made the right size here.`;
    }
    if (this.imported && part("preset").value !== this.imported.header.preset) {
      return `The checkpoint is of ${this.imported.header.preset}, which does not fit this data set.`;
    }
    return null;
  }

  #advice() {
    if (this.device === "webgpu") return "Runs on your GPU, in a worker of its own.";
    return "Runs on the CPU here, so small networks are recommended. A browser with WebGPU and a GPU is many times faster.";
  }

  /** @returns {{plan: import("./training-run.js").RunPlan, source: import("./sources.js").Source, keep: (() => Promise<import("./own-pictures.js").NamedBytes[]>) | null}} */
  read() {
    const { dataset, source, keep } = this.#dataset();
    const plan = {
      dataset,
      preset: part("preset").value,
      batch: this.imported ? null : numberIn(part("batch"), 1, MOST_BATCH),
      seed: this.imported?.header.seed ?? numberIn(part("seed"), 0, MOST_SEED),
      labels: part("labels").checked,
      mirror: part("mirror").checked,
    };
    return { plan, source, keep };
  }

  /** @returns {{dataset: import("./training-run.js").RunPlan["dataset"], source: import("./sources.js").Source, keep: any}} */
  #dataset() {
    const id = this.chosen;
    if (id in POINT_SETS) {
      return { dataset: { id, title: POINT_SETS[id], kind: "points", data: id }, source: async () => id, keep: null };
    }
    if (id === "own") {
      const { given, files } = this.own;
      const loose = given.kind === "pictures";
      const first = given.files[0].path.split("/").pop();
      const title = loose ? "Your own pictures" : first;
      const data = given.kind === "idx" || given.kind === "cifar" ? first : `${OWN_ID}.zip`;
      return { dataset: { id: OWN_ID, title, kind: "own", data }, source: files, keep: files };
    }
    const set = this.#set;
    const zip = set.files.length === 1 && /\.zip$/i.test(set.files[0].name);
    const data = zip ? `${set.id}.zip` : set.files[0].name;
    return { dataset: { id, title: set.title, kind: "pictures", data }, source: catalogSource(set, this.on.download), keep: null };
  }

  /** @param {string | null} doing what a start is busy with, null when it is over */
  busy(doing) {
    this.starting = doing;
    part("cancel").hidden = !doing;
    part("start").hidden = Boolean(doing);
    part("import-button").hidden = Boolean(doing);
    this.#showProgress(Boolean(doing));
    part("datasets").toggleAttribute("inert", Boolean(doing));
    part("own").toggleAttribute("inert", Boolean(doing));
    this.#check();
  }

  #showProgress(shown) {
    part("progress").hidden = !shown;
    part("progress").removeAttribute("value");
    part("progress-text").hidden = !shown;
    part("progress-text").textContent = "";
  }

  /** @param {string} doing @param {{loaded: number, total: number | null}} bytes */
  progress(doing, { loaded, total }) {
    const bar = part("progress");
    if (total) bar.value = Math.min(1, loaded / total);
    else bar.removeAttribute("value");
    part("progress-text").textContent = total ? `${doing}: ${bytes(loaded)} of ${bytes(total)}` : `${doing}: ${bytes(loaded)}`;
  }
}

/** undefined: not a number of the range; null: left empty */
function numberIn(input, least, most) {
  if (input.value.trim() === "" && !input.validity.badInput) return null;
  const value = input.valueAsNumber;
  return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
}
