/** The checkpoints of a run: a few at hand, the one before the last change of a setting, and the one in the autosave. */

import { readCheckpointHeader } from "./checkpoint-header.js";
import { Shelf } from "./shelf.js";

/** Changes this close together, such as the drag of a slider, are one change. */
const ONE_CHANGE_MS = 10_000;
/** What goes wrong this soon after a change is laid to it. */
const BLAME_MS = 120_000;

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

  /** To be called before a setting is changed. */
  async mark(trainer, settings) {
    if (performance.now() - this.changed > ONE_CHANGE_MS) this.before = await this.take(trainer, settings);
    this.changed = performance.now();
  }

  /** A setting was changed so lately that a failure is likely its doing; later checkpoints may be poisoned by it. */
  get justChanged() {
    return this.before !== null && performance.now() - this.changed < BLAME_MS;
  }

  /** The run went back to `before`: what came after it is no place to go on from. */
  wentBack() {
    const { before } = this;
    this.forgetChange();
    this.shelf.kept = [before, ...this.shelf.kept.filter(({ images }) => images < before.images)];
    this.saver.save(before);
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
