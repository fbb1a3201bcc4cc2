/**
 * When to autosave: every minute, on a pause, and when the page is hidden; one save at a time, the newest wins.
 *
 * A page that is closed or reloaded is not given the time to write, so where writing is quick it is done more often.
 */

const MOST_INTERVAL_MS = 60_000;
const LEAST_INTERVAL_MS = 15_000;
/** Soon, so that a new run is not lost; not at once, because it takes the place of the old one. */
const FIRST_MS = 5000;
/** Writing takes no more than this share of the time. */
const SHARE = 0.01;

/** @typedef {{state: "off" | "waiting" | "saved" | "failed", time: number | null, reason: string | null}} SaveStatus */

export class Saver {
  /**
   * @param {object} parts
   * @param {import("./autosave.js").Autosave | null} parts.autosave
   * @param {string | null} [parts.why] why there is none
   * @param {(kept: import("./checkpoints.js").Kept) => object} parts.describe
   * @param {(status: SaveStatus) => void} parts.onStatus
   * @param {() => number} [parts.now]
   */
  constructor({ autosave, why = null, describe, onStatus, now = () => Date.now() }) {
    this.autosave = autosave;
    this.describe = describe;
    this.onStatus = onStatus;
    this.now = now;
    this.last = this.now();
    this.tookMs = 0;
    /** Images of the checkpoint that lies in the store. */
    this.savedImages = null;
    this.busy = null;
    this.waiting = null;
    /** @type {SaveStatus} */
    this.status = { state: autosave ? "waiting" : "off", time: null, reason: why };
    onStatus(this.status);
  }

  get due() {
    if (this.autosave === null) return false;
    const regular = Math.min(MOST_INTERVAL_MS, Math.max(LEAST_INTERVAL_MS, this.tookMs / SHARE));
    return this.now() - this.last >= (this.status.state === "waiting" ? FIRST_MS : regular);
  }

  /** @param {import("./checkpoints.js").Kept | undefined} kept @returns {Promise<void>} when it lies there; never rejects */
  save(kept) {
    if (!this.autosave || !kept) return Promise.resolve();
    this.waiting = kept;
    this.busy ??= this.#saveWaiting().finally(() => (this.busy = null));
    return this.busy;
  }

  async #saveWaiting() {
    while (this.waiting) {
      const kept = this.waiting;
      this.waiting = null;
      // A full disk is tried again at the next interval, not at every checkpoint.
      this.last = this.now();
    this.tookMs = 0;
      try {
        await this.autosave.save(kept.bytes, this.describe(kept));
        this.savedImages = kept.images;
        this.tookMs = this.now() - this.last;
        this.#tell({ state: "saved", time: this.now(), reason: null });
      } catch (error) {
        this.tookMs = Infinity;
        this.#tell({ state: "failed", time: this.status.time, reason: reasonOf(error) });
      }
    }
  }

  #tell(status) {
    this.status = status;
    this.onStatus(status);
  }
}

function reasonOf(error) {
  if (error?.name === "QuotaExceededError") return "The browser has no room left for the autosave";
  return `The autosave could not be written (${error?.message ?? error})`;
}
