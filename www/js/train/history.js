/**
 * What the charts show, in bounded memory: when the list is full, neighbours are merged in pairs, so hours of
 * training take as much room as minutes and every point stands for the same number of calls.
 */

/** The curves; a record may lack some of them (the player that did not move has no loss). */
export const CURVES = ["criticLoss", "generatorLoss", "r1", "r2", "logitGap", "gamma", "learningRate"];

const FORMAT = 1;

export class History {
  /** @param {number} capacity Points kept at most; even. */
  constructor(capacity = 1000) {
    if (capacity < 2 || capacity % 2) throw new RangeError("the capacity must be even");
    this.capacity = capacity;
    this.clear();
  }

  clear() {
    /** Records that make one point. */
    this.stride = 1;
    /** Images at each point: that of its last record. */
    this.images = [];
    this.curves = CURVES.map(() => []);
    this.pending = emptyPoint();
  }

  get length() {
    return this.images.length;
  }

  /** @param {{images: number} & Record<string, number | null>} record Statistics of one call. */
  add(record) {
    const point = this.pending;
    point.images = record.images;
    point.records += 1;
    CURVES.forEach((name, index) => {
      const value = record[name];
      if (typeof value === "number" && Number.isFinite(value)) {
        point.sums[index] += value;
        point.counts[index] += 1;
      }
    });
    if (point.records < this.stride) return;
    this.images.push(point.images);
    this.curves.forEach((curve, index) => {
      curve.push(point.counts[index] ? point.sums[index] / point.counts[index] : null);
    });
    this.pending = emptyPoint();
    if (this.length >= this.capacity) this.#halve();
  }

  /** The last known value of a curve. */
  last(name) {
    const curve = this.curve(name);
    for (let index = curve.length - 1; index >= 0; index--) {
      if (curve[index] !== null) return curve[index];
    }
    return null;
  }

  curve(name) {
    return this.curves[CURVES.indexOf(name)];
  }

  /** Forgets what lies after `images`: the run went back to a checkpoint. */
  rewind(images) {
    let length = this.length;
    while (length > 0 && this.images[length - 1] > images) length -= 1;
    this.images.length = length;
    for (const curve of this.curves) curve.length = length;
    this.pending = emptyPoint();
  }

  toJSON() {
    const rounded = this.curves.map((curve) => curve.map(shorten));
    return { format: FORMAT, stride: this.stride, images: this.images, curves: rounded };
  }

  /**
   * The history of a saved run; what cannot be read gives an empty one: a chart is not worth a lost run.
   * @param {any} saved
   */
  static from(saved, capacity = 1000) {
    const history = new History(capacity);
    const curves = saved?.curves;
    const readable =
      saved?.format === FORMAT &&
      Number.isInteger(saved.stride) &&
      saved.stride > 0 &&
      Array.isArray(saved.images) &&
      Array.isArray(curves) &&
      curves.length === CURVES.length &&
      curves.every((curve) => Array.isArray(curve) && curve.length === saved.images.length);
    if (!readable) return history;
    history.stride = saved.stride;
    history.images = saved.images.map(Number);
    history.curves = curves.map((curve) => curve.map((value) => (Number.isFinite(value) ? value : null)));
    while (history.length >= history.capacity) history.#halve();
    return history;
  }

  #halve() {
    const half = Math.floor(this.length / 2);
    this.images = Array.from({ length: half }, (_, index) => this.images[2 * index + 1]);
    this.curves = this.curves.map((curve) =>
      Array.from({ length: half }, (_, index) => mean(curve[2 * index], curve[2 * index + 1])),
    );
    this.stride *= 2;
  }
}

function emptyPoint() {
  return { images: 0, records: 0, sums: CURVES.map(() => 0), counts: CURVES.map(() => 0) };
}

function mean(one, other) {
  if (one === null) return other;
  return other === null ? one : (one + other) / 2;
}

/** Six digits are more than a screen shows. */
function shorten(value) {
  return value === null ? null : Number(value.toPrecision(6));
}
