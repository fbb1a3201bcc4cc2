/**
 * The loop that pulls a trainer along: iterations in calls of about a third of a second, a look at the samples now and
 * then, a checkpoint every few seconds. Pausing is not calling.
 */

import { Budget, StepPacer } from "./pacing.js";

/** @typedef {import("../../pkg/index.js").StepStats} StepStats */
/**
 * @typedef {object} LoopEvents
 * @property {(stats: StepStats) => void} stats after each call
 * @property {() => Promise<void>} look draws samples; counts against its share of the time
 * @property {() => Promise<void>} keep takes a checkpoint; counts against its share of the time
 * @property {(stage: null | "critic" | "generator") => void} stage in slow motion: who learns now
 * @property {(error: Error) => void} failed the loop has ended
 */

export class RunLoop {
  /**
   * @param {object} parts
   * @param {{steps(n: number): Promise<StepStats>, stepCritic(): Promise<StepStats>, stepGenerator(): Promise<StepStats>}} parts.trainer
   * @param {LoopEvents} parts.events
   * @param {() => boolean} [parts.hidden] Nobody looks.
   * @param {() => number} [parts.now]
   */
  constructor({ trainer, events, hidden = () => false, now = () => performance.now() }) {
    this.trainer = trainer;
    this.events = events;
    this.hidden = hidden;
    this.now = now;
    this.pacer = new StepPacer();
    this.looks = new Budget({ leastMs: 1000, share: 0.15 });
    this.keeps = new Budget({ leastMs: 5000, share: 0.03 });
    this.playing = false;
    this.stopped = false;
    /** Milliseconds between the stages of slow motion; 0: full speed. */
    this.slowMs = 0;
    this.wake = () => {};
    this.running = Promise.resolve();
  }

  play() {
    if (this.playing || this.stopped) return;
    this.playing = true;
    this.running = this.running.then(() => this.#run());
  }

  /** Resolves when the call that is under way has ended. */
  pause() {
    this.playing = false;
    this.wake();
    return this.running;
  }

  /** Ends it for good. */
  stop() {
    this.stopped = true;
    return this.pause();
  }

  setSlow(ms) {
    this.slowMs = ms;
    this.wake();
  }

  /** One step of one player while paused. */
  single(player) {
    this.pause();
    const step = async () => {
      if (this.stopped) return;
      await this.#stage(player);
      await this.#look();
      this.events.stage(null);
    };
    this.running = this.running.then(() => this.#attempt(step));
    return this.running;
  }

  /** Takes a look and a checkpoint as soon as it can. */
  refresh() {
    this.looks.expire();
    this.keeps.expire();
  }

  async #run() {
    await this.#attempt(async () => {
      while (this.playing) {
        if (this.slowMs > 0) await this.#slowly();
        else await this.#fast();
      }
    });
    this.playing = false;
    if (!this.stopped) this.events.stage(null);
  }

  async #attempt(task) {
    try {
      await task();
    } catch (error) {
      this.playing = false;
      if (!this.stopped) this.events.failed(error);
    }
  }

  /** The trainer works on its next call while the page draws what came of the last one. */
  async #fast() {
    let call = this.#ask();
    while (call) {
      const { count, promise } = call;
      const stats = await promise;
      if (this.stopped) return;
      this.pacer.record(count, stats.seconds * 1000);
      const goesOn = () => this.playing && this.slowMs === 0;
      const due = this.#lookDue() || this.keeps.due(this.now());
      call = goesOn() && !due ? this.#ask() : null;
      this.events.stats(stats);
      if (due && this.playing) await this.#lookAndKeep();
      call ??= goesOn() ? this.#ask() : null;
    }
  }

  #ask() {
    const { count } = this.pacer;
    const promise = this.trainer.steps(count);
    // It may fail before anyone waits for it.
    promise.catch(() => {});
    return { count, promise };
  }

  async #lookAndKeep() {
    if (this.#lookDue()) await this.#look();
    if (this.playing && this.keeps.due(this.now())) await this.#spend(this.keeps, () => this.events.keep());
  }

  async #slowly() {
    for (const player of ["critic", "generator"]) {
      if (!this.playing) return;
      await this.#stage(player);
      // A student looks at what the step changed.
      if (!this.hidden()) await this.#look();
      await this.#rest(this.slowMs);
    }
    if (this.playing && this.keeps.due(this.now())) await this.#spend(this.keeps, () => this.events.keep());
  }

  async #stage(player) {
    this.events.stage(player);
    const stats = await (player === "critic" ? this.trainer.stepCritic() : this.trainer.stepGenerator());
    if (!this.stopped) this.events.stats(stats);
  }

  #lookDue() {
    return !this.hidden() && this.looks.due(this.now());
  }

  #look() {
    return this.#spend(this.looks, () => this.events.look());
  }

  async #spend(budget, task) {
    const start = this.now();
    await task();
    const end = this.now();
    budget.record(end, end - start);
  }

  #rest(ms) {
    if (!this.playing || ms <= 0) return Promise.resolve();
    /** @type {Promise<void>} */
    const over = new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return over;
  }
}
