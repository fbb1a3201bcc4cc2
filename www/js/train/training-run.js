/**
 * One run from start to end: trainer, loop, checkpoints at hand, autosave, and what to do when something fails. Knows
 * nothing of the page; it tells what happens through `on`.
 */

import { Trainer } from "../../pkg/index.js";
import { Checkpoints, placeOf } from "./checkpoints.js";
import { History } from "./history.js";
import { Looks } from "./looks.js";
import { isFatal, planFor, stuckPlan } from "./recovery.js";
import { RunLoop } from "./run-loop.js";
import { Saver } from "./saver.js";

/** Losses of the device that count as "again". */
const LOSS_MEMORY_MS = 5 * 60_000;
/**
 * @typedef {object} RunPlan
 * @property {{id: string, title: string, kind: "points" | "pictures" | "own", data: string}} dataset `data` is what
 *   `r3gan train --data` is given
 * @property {string} preset
 * @property {number | null} batch
 * @property {number} seed
 * @property {boolean} labels
 * @property {boolean} mirror
 */
/**
 * What an autosaved run says about itself.
 * @typedef {object} SavedRun
 * @property {number} savedAt
 * @property {RunPlan} plan
 * @property {number} images
 * @property {number} seconds
 * @property {import("../../pkg/index.js").Coverage | null} coverage
 * @property {string | null} picture
 * @property {object} history
 */
/**
 * @typedef {object} RunEvents
 * @property {(state: "starting" | "running" | "paused" | "failed") => void} state
 * @property {(stats: import("../../pkg/index.js").StepStats) => void} stats
 * @property {(look: {samples: object, surface: Float32Array | null}) => void} look
 * @property {(reals: object) => void} reals
 * @property {(stage: null | "critic" | "generator") => void} stage
 * @property {(info: import("../../pkg/index.js").TrainerInfo) => void} info
 * @property {(says: string, tone: string, offers: import("./recovery.js").Offer[]) => void} trouble
 * @property {(status: import("./saver.js").SaveStatus) => void} saved
 * @property {(progress: import("../../pkg/index.js").Progress) => void} progress
 */

export class TrainingRun {
  /**
   * @param {object} parts
   * @param {RunPlan} parts.plan
   * @param {import("./sources.js").Source} parts.source asked again after a lost device
   * @param {"auto" | "webgpu" | "cpu"} parts.device
   * @param {RunEvents} parts.on
   * @param {{autosave: import("./autosave.js").Autosave | null, why?: string}} parts.saving
   * @param {() => string | null} parts.picture of the samples, for the saved run
   * @param {() => boolean} parts.hidden nobody looks: training goes on, drawing waits
   * @param {(n: number) => string} parts.format
   */
  constructor({ plan, source, device, on, saving, picture, hidden, format }) {
    this.plan = plan;
    this.source = source;
    this.device = device;
    this.on = on;
    this.picture = picture;
    this.hidden = hidden;
    this.format = format;
    this.history = new History();
    this.trainer = null;
    this.loop = null;
    this.images = 0;
    this.steps = { critic: 0, generator: 0 };
    this.seconds = 0;
    /** @type {import("../../pkg/index.js").StepStats | null} */
    this.stats = null;
    /** As last heard of. */
    this.settings = { batch: plan.batch ?? 0, gamma: 1, learningRate: 1e-4 };
    this.coverage = null;
    this.slowMs = 0;
    /** The person wants it to run. */
    this.wanted = false;
    /** A trainer is being opened. */
    this.opening = false;
    this.ended = false;
    this.losses = [];
    this.rolledBackTo = null;
    this.saver = new Saver({ ...saving, describe: (kept) => this.#describe(kept), onStatus: on.saved });
    this.checkpoints = new Checkpoints(this.saver);
  }

  /**
   * @param {object} [from]
   * @param {import("../../pkg/index.js").Bytes} [from.checkpoint]
   * @param {SavedRun} [from.description]
   * @param {AbortSignal} [from.signal]
   */
  async open({ checkpoint, description, signal } = {}) {
    if (description) {
      this.history = History.from(description.history);
      this.seconds = Number(description.seconds) || 0;
    }
    this.opening = true;
    try {
      await this.#attach(checkpoint, signal);
      // It was saved a moment after its checkpoint was taken.
      this.history.rewind(this.images);
      await this.#keep();
    } catch (error) {
      this.#dispose();
      this.ended = true;
      throw error;
    } finally {
      this.opening = false;
    }
    this.on.state("paused");
  }

  /** There is a trainer, and nothing is being repaired. */
  get live() {
    return this.trainer !== null && !this.opening && !this.ended;
  }

  get playing() {
    return this.loop?.playing ?? false;
  }

  play() {
    this.wanted = true;
    if (!this.live || this.playing) return;
    this.on.state("running");
    this.loop.play();
  }

  async pause() {
    this.wanted = false;
    if (!this.live) return;
    await this.loop.pause();
    if (!this.live || this.wanted) return;
    this.on.state("paused");
    // The last look may be a second old; what is paused is shown as it is.
    if (!this.hidden()) await this.#guard(() => this.#look());
    await this.#keepNow();
  }

  /** One step of one player. */
  async single(player) {
    this.wanted = false;
    if (!this.live) return;
    this.on.state("paused");
    await this.loop.single(player);
  }

  setSlow(ms) {
    this.slowMs = ms;
    this.loop?.setSlow(ms);
  }

  /**
   * @param {{gamma?: number, learningRate?: number, batch?: number}} settings
   * @param {{remedy?: boolean}} [why] it was offered after a failure
   */
  set(settings, { remedy = false } = {}) {
    return this.#guard(async () => {
      const { trainer } = this;
      await this.checkpoints.mark(trainer, this.settings, { seconds: this.seconds, remedy });
      if (this.trainer !== trainer) return;
      const info = await trainer.set(settings);
      Object.assign(this.settings, settings);
      this.on.info(info);
      // No checkpoint knows of it yet.
      this.loop.refresh();
      this.loop.pacer.reset();
    });
  }

  /** Back to what was before the last change of a setting. */
  goBack() {
    return this.#guard(async () => {
      this.wanted = false;
      await this.loop.pause();
      const { before } = this.checkpoints;
      if (!before || !this.live) return;
      const info = await this.trainer.restore(before.bytes);
      this.checkpoints.wentBack();
      this.history.rewind(before.images);
      Object.assign(this.settings, before.settings);
      Object.assign(this, { images: before.images, steps: before.steps });
      this.on.info(info);
      this.on.state("paused");
      await this.#look();
      await this.saver.save(before);
    });
  }

  /** A fresh checkpoint for a download; while there is no trainer, the newest at hand. */
  async checkpoint() {
    if (!this.live) return this.checkpoints.newest?.bytes ?? null;
    return this.#guard(() => this.trainer.checkpoint());
  }

  /** @returns {Promise<Uint8Array | null>} null: it failed, and that is told elsewhere */
  exportModel(dtype) {
    return this.#guard(() => this.trainer.exportModel({ dtype }));
  }

  dataset() {
    return this.#guard(() => this.trainer.dataset());
  }

  /** The page is being hidden: write what is at hand at once, then what is newer if there is time. */
  async hide() {
    const newest = this.checkpoints.newest;
    if (newest && newest.images !== this.saver.savedImages) await this.saver.save(newest);
    await this.#keepNow();
  }

  /** Draws what a hidden page missed. */
  async show() {
    this.loop?.looks.expire();
    if (this.live && !this.playing) await this.#guard(() => this.#look());
  }

  /** Saves and ends. */
  async end() {
    this.wanted = false;
    if (this.live) {
      await this.loop.pause();
      await this.#keepNow();
    }
    this.#dispose();
    this.ended = true;
  }

  /** Goes on after a failure, as was offered. @param {import("./recovery.js").Offer} offer */
  async goOn({ settings, device }) {
    if (this.opening || this.ended) return;
    this.on.state("starting");
    if (device) {
      this.device = device;
      this.#dispose();
    }
    if (!this.trainer && !(await this.#recover())) return;
    if (settings) await this.set(settings, { remedy: true });
    this.play();
  }

  async #attach(checkpoint, signal) {
    this.on.state("starting");
    const { plan } = this;
    const trainer = await Trainer.create({
      preset: plan.preset,
      dataset: await this.source(signal),
      config: plan.batch && !checkpoint ? { batch: plan.batch } : {},
      seed: plan.seed,
      labels: plan.labels,
      mirror: plan.mirror,
      device: this.device,
      checkpoint,
      signal,
      onProgress: this.on.progress,
    });
    if (this.ended) {
      trainer.dispose();
      return;
    }
    this.trainer = trainer;
    Object.assign(this, checkpoint ? await placeOf(checkpoint) : { images: 0, steps: { critic: 0, generator: 0 } });
    this.#learnSettings(trainer.info);
    this.loop = new RunLoop({
      trainer,
      hidden: this.hidden,
      events: {
        stats: (stats) => this.#record(stats),
        look: () => this.#look(),
        keep: () => this.#keep(),
        stage: (stage) => this.on.stage(stage),
        failed: (error) => this.#failed(error),
      },
    });
    this.loop.setSlow(this.slowMs);
    // It says that the device is gone; the error of a call says whether it was taken or had no memory left.
    trainer.lost.then(() => trainer.samples(1)).catch((error) => {
      if (this.trainer === trainer) this.#failed(error);
    });
    this.on.info(trainer.info);
    this.looks = new Looks(trainer, plan);
    this.on.reals(await this.looks.reals());
    await this.#look();
  }

  #dispose() {
    this.loop?.stop();
    this.trainer?.dispose();
    this.trainer = null;
  }

  #record(stats) {
    this.stats = stats;
    this.images = stats.images;
    this.steps = { critic: stats.criticSteps, generator: stats.generatorSteps };
    this.seconds += stats.seconds;
    this.settings.gamma = stats.gamma;
    this.settings.learningRate = stats.learningRate;
    this.history.add(stats);
    this.on.stats(stats);
  }

  async #look() {
    const { trainer } = this;
    const look = await this.looks.look(this.slowMs > 0 || !this.playing);
    if (this.trainer !== trainer) return;
    this.coverage = look.samples.coverage ?? null;
    this.on.look(look);
  }

  async #keep() {
    const { trainer } = this;
    const kept = await this.checkpoints.take(trainer, this.settings);
    if (this.trainer === trainer) this.checkpoints.put(kept);
  }

  async #keepNow() {
    if (!this.live) return;
    await this.#guard(() => this.#keep());
    await this.saver.save(this.checkpoints.newest);
  }

  /** Failures of the run are dealt with here; others, and a disposed trainer's, are the caller's. */
  async #guard(task) {
    try {
      return this.live ? await task() : null;
    } catch (error) {
      if (error.name === "AbortError") return null;
      if (!isFatal(error)) throw error;
      await this.#failed(error);
      return null;
    }
  }

  async #failed(error) {
    // A lost device is told twice: by the call that failed, and by itself.
    if (this.opening || this.ended || !this.trainer) return;
    if (error.name === "DeviceLostError") {
      const now = performance.now();
      this.losses = [...this.losses.filter((time) => now - time < LOSS_MEMORY_MS), now];
    }
    const beforeChange = error.name === "DivergedError" && this.#leaveDiverged();
    const plan = planFor(error, { ...this.#circumstances(), beforeChange }, this.format);
    this.#dispose();
    this.checkpoints.forgetChange();
    this.on.state("starting");
    this.on.trouble(plan.says, plan.automatic ? "warn" : "danger", []);
    if (!(await this.#recover())) return;
    // The picture, too, is now that of the place gone back to.
    if (beforeChange) await this.saver.save(this.checkpoints.newest);
    if (plan.automatic && this.wanted) this.play();
    else this.on.trouble(plan.says, "danger", plan.offers);
  }

  /** Makes a checkpoint the newest from which training may go well; whether it is the one before the last change. */
  #leaveDiverged() {
    const { checkpoints } = this;
    const beforeChange = checkpoints.blamesChange(this);
    if (beforeChange) checkpoints.wentBack();
    else if (this.rolledBackTo === checkpoints.newest?.images) checkpoints.shelf.drop();
    this.rolledBackTo = checkpoints.newest?.images ?? 0;
    // What is offered starts from what the run goes back to.
    Object.assign(this.settings, checkpoints.newest?.settings);
    return beforeChange;
  }

  /** A new trainer from the newest checkpoint, paused. */
  async #recover() {
    this.opening = true;
    const kept = this.checkpoints.newest;
    try {
      this.history.rewind(kept?.images ?? 0);
      await this.#attach(kept?.bytes);
      this.opening = false;
      if (!this.ended) this.on.state("paused");
      return !this.ended;
    } catch (error) {
      this.#dispose();
      this.opening = false;
      if (this.ended) return false;
      const plan = stuckPlan(error, this.#circumstances(), this.format);
      this.on.state("failed");
      this.on.trouble(plan.says, "danger", plan.offers);
      return false;
    }
  }

  /** Until the first step, schedules are at their beginning; after a failure, what was is what counts. */
  #learnSettings({ batch, config }) {
    this.settings.batch = batch;
    if (this.stats) return;
    this.settings.gamma = config.gamma?.base ?? this.settings.gamma;
    this.settings.learningRate = config.learning_rate?.base ?? this.settings.learningRate;
  }

  #circumstances() {
    return {
      keptImages: this.checkpoints.newest?.images ?? null,
      device: this.trainer?.info.device ?? (this.device === "cpu" ? "cpu" : "webgpu"),
      losses: this.losses.length,
      ...this.settings,
    };
  }

  #describe(kept) {
    return {
      format: 1,
      savedAt: Date.now(),
      plan: this.plan,
      images: kept.images,
      seconds: this.seconds,
      coverage: this.coverage,
      picture: this.picture(),
      history: this.history.toJSON(),
    };
  }
}
