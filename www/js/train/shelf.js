/**
 * The checkpoints at hand: the newest, and older ones to fall back on, each at least twice as far back as the one
 * before, so that a handful covers the last seconds as well as the last hour.
 */

/** @typedef {import("./checkpoints.js").Kept} Kept */

export class Shelf {
  /** @param {number} most Checkpoints kept. */
  constructor(most = 4) {
    this.most = most;
    /** @type {Kept[]} newest first */
    this.kept = [];
  }

  /** @returns {Kept | undefined} */
  get newest() {
    return this.kept[0];
  }

  /** @param {Kept} checkpoint */
  put(checkpoint) {
    this.kept = [checkpoint, ...this.kept.filter(({ images }) => images !== checkpoint.images)];
    while (this.kept.length > this.most) this.kept.splice(this.#leastMissed(), 1);
  }

  /** Lets go of the newest, which turned out to be no place to go on from; the last one stays. */
  drop() {
    if (this.kept.length > 1) this.kept.shift();
    return this.newest;
  }

  clear() {
    this.kept = [];
  }

  /** The one whose neighbours are closest together for its age; never the newest. */
  #leastMissed() {
    const now = this.kept[0].time;
    let best = 1;
    let least = Infinity;
    for (let index = 1; index < this.kept.length - 1; index++) {
      const gap = this.kept[index - 1].time - this.kept[index + 1].time;
      const age = now - this.kept[index + 1].time + 1;
      if (gap / age < least) [least, best] = [gap / age, index];
    }
    return best;
  }
}
