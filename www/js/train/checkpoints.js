/** The checkpoints of a run: a few at hand, the one before the last change of a setting, and the one in the autosave. */

import { readCheckpointHeader } from "./checkpoint-header.js";
import { Shelf } from "./shelf.js";

/** Changes this close together, such as the drag of a slider, are one change. */
const ONE_CHANGE_MS = 10_000;
/** What goes wrong so few steps, or seconds of training, after a change is laid to it. */
const BLAME_STEPS = 50;
const BLAME_SECONDS = 60;

/**
 * @typedef {object} Kept
 * @property {Uint8Array} bytes
 * @property {number} images
 * @property {{critic: number, generator: number}} steps
 * @property {object} settings as they were
 * @property {number} time
 */

export class Checkpoints {
  /** @param {import("./saver.js").Saver} saver */
  constructor(saver) {
    this.saver = saver;
    this.shelf = new Shelf();
    /** @type {Kept | null} */
    this.before = null;
    this.changed = -Infinity;
    /** The change was a person's own idea, not an offer to mend something. */
    this.blamed = false;
    this.seconds = 0;
  }

  get newest() {
    return this.shelf.newest;
  }

  /** @param {import("../../pkg/index.js").Trainer} trainer @returns {Promise<Kept>} */
  async take(trainer, settings) {
    const then = { ...settings };
    const bytes = await trainer.checkpoint();
    return { bytes, settings: then, time: performance.now(), ...(await placeOf(bytes)) };
  }

  /** From here on this is the newest; it goes to the autosave too if it is time. */
  put(kept) {
    this.shelf.put(kept);
    if (this.saver.due) this.saver.save(kept);
  }

  /**
   * To be called before a setting is changed, after so many seconds of training.
   *
   * @param {import("../../pkg/index.js").Trainer} trainer
   * @param {object} settings
   * @param {{seconds: number, remedy: boolean}} when `remedy`: it was offered after a failure, and is not to blame
   */
  async mark(trainer, settings, { seconds, remedy }) {
    const another = performance.now() - this.changed > ONE_CHANGE_MS;
    if (another) this.before = await this.take(trainer, settings);
    this.blamed = !remedy || (this.blamed && !another);
    this.seconds = seconds;
    this.changed = performance.now();
  }

  /**
   * Whether what goes wrong now is likely the last change's doing: later checkpoints may be poisoned by it then.
   *
   * @param {{steps: {critic: number}, seconds: number}} now
   */
  blamesChange({ steps, seconds }) {
    if (!this.before || !this.blamed) return false;
    return steps.critic - this.before.steps.critic < BLAME_STEPS || seconds - this.seconds < BLAME_SECONDS;
  }

  /** The run goes back to `before`, which is given: what came after it is no place to go on from. */
  wentBack() {
    const { before } = this;
    this.forgetChange();
    this.shelf.kept = [before, ...this.shelf.kept.filter(({ images }) => images < before.images)];
    return before;
  }

  forgetChange() {
    this.before = null;
    this.changed = -Infinity;
  }
}

/** Where a checkpoint is in its run. */
export async function placeOf(checkpoint) {
  const { images, criticSteps, generatorSteps } = await readCheckpointHeader(new Blob([checkpoint]));
  return { images, steps: { critic: criticSteps, generator: generatorSteps } };
}
