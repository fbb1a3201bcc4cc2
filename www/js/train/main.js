/** The Train view: puts form, run and panel together. The shell calls `install` the first time that it is shown. */

import { preload, presets } from "../../pkg/index.js";
import { capabilitiesOnce, deviceOption, expectedDevice } from "../shared/device.js";
import { count } from "../shared/format.js";
import { say } from "../shared/say.js";
import { openAutosave } from "./autosave.js";
import { readCheckpointHeader } from "./checkpoint-header.js";
import { onPress, part } from "./elements.js";
import { Exports } from "./exports.js";
import { Live } from "./live.js";
import { hush, tell } from "./message.js";
import { SavedCard } from "./saved-card.js";
import { Setup } from "./setup.js";
import { catalogDatasets, savedSource } from "./sources.js";
import { takeTabLock } from "./tab-lock.js";
import { TrainingRun } from "./training-run.js";

/** @param {HTMLElement} section */
export function install(section) {
  const view = new View(section);
  view.load();
  return { show: () => view.shown() };
}

class View {
  constructor(section) {
    this.section = section;
    /** @type {TrainingRun | null} */
    this.run = null;
    this.autosave = null;
    this.release = null;
    this.opening = null;
    const fetching = (progress) => this.setup.progress("Fetching the data set", progress);
    this.setup = new Setup({ start: () => this.startNew(), cancel: () => this.opening?.abort(), download: fetching });
    this.live = new Live();
    this.exports = new Exports();
    this.saved = new SavedCard((saved) => this.continueSaved(saved));
    this.#wireImport();
    this.#wireDrops();
    onPress(part("new"), () => this.askNew());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.hidden() : this.shown()));
    addEventListener("pagehide", () => this.hidden());
  }

  async load() {
    this.#state("idle");
    catalogDatasets().then(
      (datasets) => this.setup.offer(datasets),
      (error) => {
        this.setup.offer([]);
        say(error.message, { tone: "warn" });
      },
    );
    this.autosave = await openAutosave();
    this.saved.show(this.autosave);
    await this.#loadPackage();
  }

  /** The module is needed for the list of presets, and is then there when training starts. */
  async #loadPackage() {
    try {
      await preload({ onProgress: (progress) => this.setup.progress("Fetching the program", progress) });
      const [list, able] = await Promise.all([presets(), capabilitiesOnce()]);
      this.setup.ready({ presets: list, device: expectedDevice(able) });
    } catch (error) {
      tell(`Training cannot start. ${error.message}`, {
        tone: "danger",
        actions: [{ label: "Try again", run: () => this.#loadPackage() }],
      });
    }
  }

  async startNew() {
    const { plan, source, keep } = this.setup.read();
    await this.open({ plan, source, keep, checkpoint: this.setup.imported?.file });
  }

  async continueSaved({ checkpoint, description, files }) {
    const { plan } = description;
    try {
      const source = await savedSource(plan.dataset, files, (progress) => this.setup.progress("Fetching the data set", progress));
      await this.open({ plan, source, keep: null, continued: true, checkpoint, description });
    } catch (error) {
      tell(error.message, { tone: "danger" });
    }
  }

  /**
   * Opens a run and lets it play; on an error the form is there again.
   * @param {object} what
   * @param {import("./training-run.js").RunPlan} what.plan
   * @param {import("./sources.js").Source} what.source
   * @param {(() => Promise<import("./own-pictures.js").NamedBytes[]>) | null} what.keep the data, if the autosave needs it
   * @param {import("../../pkg/index.js").Bytes} [what.checkpoint]
   * @param {import("./training-run.js").SavedRun} [what.description]
   * @param {boolean} [what.continued]
   */
  async open({ plan, source, keep, checkpoint, description, continued = false }) {
    if (this.opening) return;
    hush();
    this.opening = new AbortController();
    const { signal } = this.opening;
    this.setup.busy("Getting ready.");
    this.#state("starting");
    const saving = await this.#saving(continued, keep);
    const run = new TrainingRun({
      plan,
      source,
      device: deviceOption(),
      saving,
      on: this.#events(() => run),
      picture: () => this.live.picture(),
      hidden: () => document.hidden || this.section.hidden,
      format: count,
    });
    this.run = run;
    this.live.show(run);
    this.exports.show(run);
    try {
      await run.open({ checkpoint, description, signal });
      signal.throwIfAborted();
      this.setup.use(null);
      this.#showLive(true);
      this.live.redraw();
      this.live.charts.show(run.history);
      part("pause").focus({ preventScroll: true });
      scrollTo(0, 0);
      run.play();
    } catch (error) {
      await this.#notOpened(error, { plan, source, keep, checkpoint, description, continued });
    } finally {
      this.setup.busy(null);
      this.opening = null;
    }
  }

  async #notOpened(error, what) {
    await this.run?.end();
    await this.#leave();
    if (error.name === "AbortError") return;
    const actions = [];
    if (error.name === "OutOfMemoryError" && !what.checkpoint) {
      const batch = Math.floor((what.plan.batch ?? this.setup.preset?.batch ?? 2) / 2);
      if (batch >= 1) actions.push({ label: `Start with ${batch} a step`, run: () => this.open({ ...what, plan: { ...what.plan, batch } }) });
    }
    tell(error.message, { tone: "danger", actions });
  }

  /** What a run needs for its autosave, or why there is none. */
  async #saving(continued, keep) {
    if (!this.autosave) return { autosave: null, why: "This browser does not let pages keep files; save the checkpoint now and then." };
    this.release = await takeTabLock();
    if (!this.release) return { autosave: null, why: "Another tab is training; save the checkpoint now and then." };
    try {
      // The data of a continued run lies there already.
      if (!continued) await this.autosave.begin(keep ? await keep() : null);
      return { autosave: this.autosave };
    } catch {
      return { autosave: null, why: "There is no room to keep these pictures; save the data set and the checkpoint to go on later." };
    }
  }

  #events(run) {
    const mine = (act) => (value) => {
      if (this.run === run()) act(value);
    };
    return {
      state: mine((state) => {
        if (this.#isLive || state === "starting") this.#state(state);
        this.live.state(state);
      }),
      stats: mine((stats) => this.live.stats(stats)),
      look: mine((look) => {
        this.live.look(look);
        this.exports.showCommand();
      }),
      reals: mine((reals) => this.live.showReals(reals)),
      stage: mine((stage) => this.live.stage(stage)),
      info: mine((info) => this.live.info(info)),
      trouble: (says, tone, offers) => {
        const goOn = (offer) => this.run?.goOn(offer).catch((error) => tell(error.message, { tone: "danger" }));
        const actions = offers.map((offer) => ({ label: offer.label, run: () => goOn(offer) }));
        tell(says, { tone, actions });
      },
      saved: (status) => this.live.saved(status),
      progress: (progress) => this.setup.progress("Fetching the program", progress),
    };
  }

  /** Ends the run; without an autosave that loses it, so it asks. */
  askNew() {
    const { state } = this.run.saver.status;
    if (state === "waiting" || state === "saved") return this.endRun();
    tell("This run is not autosaved. End it without saving its checkpoint?", {
      tone: "warn",
      actions: [
        { label: "Save the checkpoint", run: () => part("export-checkpoint").click() },
        { label: "End it", run: () => this.endRun() },
      ],
    });
  }

  async endRun() {
    hush();
    this.#state("starting");
    await this.run.end();
    await this.#leave();
    await this.saved.show(this.autosave);
    part("title").focus();
    scrollTo(0, 0);
  }

  async #leave() {
    this.run = null;
    await this.release?.();
    this.release = null;
    this.#showLive(false);
    this.#state("idle");
  }

  get #isLive() {
    return !part("live").hidden;
  }

  #showLive(shown) {
    part("live").hidden = !shown;
    part("setup").hidden = shown;
    this.section.querySelector(".train-intro").classList.toggle("small-intro", shown);
    if (shown) {
      this.saved.hide();
      this.#state("paused");
    }
  }

  #state(state) {
    document.body.dataset.train = state;
  }

  shown() {
    if (!document.hidden) this.run?.show().catch(console.warn);
  }

  hidden() {
    this.run?.hide().catch(console.warn);
  }

  #wireImport() {
    const input = part("import");
    part("import-button").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = "";
      if (file) this.#import(file);
    });
  }

  async #import(file) {
    try {
      this.setup.use({ file, header: await readCheckpointHeader(file) });
      hush();
    } catch (error) {
      tell(error.message, { tone: "danger" });
    }
  }

  /** Pictures or a checkpoint, anywhere on the form. */
  #wireDrops() {
    const veil = part("veil");
    const dragged = (event) => !this.run && !this.section.hidden && event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => {
      if (dragged(event)) veil.hidden = false;
    });
    addEventListener("dragover", (event) => {
      if (!dragged(event)) return;
      event.preventDefault();
      veil.hidden = false;
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) veil.hidden = true;
    });
    addEventListener("drop", (event) => {
      veil.hidden = true;
      if (!dragged(event)) return;
      event.preventDefault();
      const files = [...event.dataTransfer.files];
      if (files.length === 1 && /\.safetensors$/i.test(files[0].name)) {
        this.#import(files[0]);
        return;
      }
      this.setup.choose("own");
      this.setup.own.drop(event.dataTransfer);
    });
  }
}
