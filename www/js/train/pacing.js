/** How much to ask of the trainer at once, and when to look at its samples. */

/** A call should take this long: short enough to pause at once, long enough that asking costs nothing. */
export const TARGET_MS = 300;
const MOST_STEPS = 1000;

/** Number of iterations for the next call, from how long the last ones took. */
export class StepPacer {
  constructor(targetMs = TARGET_MS) {
    this.targetMs = targetMs;
    this.count = 1;
  }

  /** @param {number} count Iterations of a call. @param {number} ms What it took. */
  record(count, ms) {
    const wanted = (count * this.targetMs) / Math.max(ms, 0.1);
    // The first calls compile; growing at most twofold keeps one fast call from asking for a slow one.
    this.count = Math.max(1, Math.min(Math.round(wanted), this.count * 2, MOST_STEPS));
  }

  /** After a change of the batch nothing is known. */
  reset() {
    this.count = 1;
  }
}

/** Allows something at most every `leastMs`, and never for more than a share of the time. */
export class Budget {
  /** @param {{leastMs: number, share: number}} limits */
  constructor({ leastMs, share }) {
    this.leastMs = leastMs;
    this.share = share;
    this.next = -Infinity;
  }

  due(now) {
    return now >= this.next;
  }

  /** @param {number} now When it ended. @param {number} ms What it took. */
  record(now, ms) {
    const rest = (ms * (1 - this.share)) / this.share;
    this.next = now + Math.max(this.leastMs - ms, rest);
  }

  /** The next question is answered with yes. */
  expire() {
    this.next = -Infinity;
  }
}
