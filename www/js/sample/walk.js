// A walk through latent space. Frames are real samples, asked for ahead of time in small batches, each with its place
// on the path; the screen shows the newest whose time has come. How many there are each second follows the device.

import { sampleToCanvas } from "../shared/picture.js";
import { catmullRom, fold } from "./weights.js";

const BATCHES = [1, 2, 4, 8, 16];
const BATCH_TIME = 200; // ms
const LEAD = 0.6; // seconds of frames that are ready
const LOAD = 0.8; // share of the device that the walk takes
const FASTEST = 60; // frames per second
const FRAMES_BETWEEN = 16; // at least, from one picture to the next: a slow device walks slower, not in jumps

export class Walk {
  #show;
  #fail;
  #canvas = document.createElement("canvas");
  #session = null;
  #class;
  #next;
  #anchors = [];
  #frames = [];
  #asked = 0; // place of the last frame that was asked for
  #place = 0; // where the screen is, in anchors
  #each = 40; // ms a frame, measured
  #busy = false;
  #run = 0;
  #then = 0;
  #pace = 2;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  /**
   * @param {(picture: HTMLCanvasElement, place: { from: number, to: number, share: number }) => void} show
   * @param {(error: Error) => void} fail
   */
  constructor(show, fail) {
    this.#show = show;
    this.#fail = fail;
  }

  get playing() {
    return this.#session !== null;
  }

  /** Seconds from one picture to the next. */
  set pace(seconds) {
    this.#pace = seconds;
  }

  /**
   * @param {import("./session.js").Session} session
   * @param {number} seed where it starts
   * @param {number | undefined} label the class of all frames
   * @param {(before: number) => number} next the seed that follows
   */
  start(session, seed, label, next) {
    this.#session = session;
    this.#class = label;
    this.#next = next;
    this.#anchors = [seed];
    this.#leave(this.#frames.splice(0));
    this.#asked = 0;
    this.#place = 0;
    this.#then = 0;
    this.#busy = false;
    const run = ++this.#run;
    const tick = (now) => {
      if (run !== this.#run) return;
      this.#tick(now, run);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  stop() {
    this.#session = null;
    this.#run += 1;
    this.#leave(this.#frames.splice(0));
  }

  /** Gives back the bitmaps of frames that left the queue, unless others in it share them. */
  #leave(frames) {
    for (const { samples } of frames) {
      if (!this.#frames.some((frame) => frame.samples === samples)) samples.bitmap?.close();
    }
  }

  /** Frames per second that the device keeps up with; with less motion asked for, a still every two seconds. */
  get #rate() {
    return this.#still.matches ? 0.5 : Math.min(FASTEST, Math.max(0.5, (LOAD * 1000) / this.#each));
  }

  get #secondsBetween() {
    return this.#still.matches ? 4 : Math.max(this.#pace, FRAMES_BETWEEN / this.#rate);
  }

  #tick(now, run) {
    const passed = this.#then ? Math.min(0.1, (now - this.#then) / 1000) : 0;
    this.#then = now;
    const last = this.#frames[this.#frames.length - 1];
    // Where no frame is ready the walk waits; it never jumps.
    if (last) this.#place = Math.min(this.#place + passed / this.#secondsBetween, last.place);

    let due = null;
    const left = [];
    while (this.#frames.length > 0 && this.#frames[0].place <= this.#place + 1e-9) {
      if (this.#frames.length === 1 && due === null && this.#frames[0].shown) break;
      due = this.#frames[0];
      if (this.#frames.length === 1) break; // kept as the place to wait at
      left.push(this.#frames.shift());
    }
    if (due && !due.shown) {
      due.shown = true;
      const before = Math.floor(due.place);
      const picture = sampleToCanvas(due.samples, due.index, this.#canvas);
      this.#show(picture, { from: this.#anchors[before], to: this.#anchors[before + 1], share: due.place - before });
    }
    this.#leave(left);

    const ahead = (this.#asked - this.#place) * this.#secondsBetween;
    if (!this.#busy && ahead < Math.max(LEAD, 2 / this.#rate)) this.#ask(run);
  }

  async #ask(run) {
    this.#busy = true;
    const step = 1 / (this.#rate * this.#secondsBetween);
    const first = this.#asked === 0 && this.#frames.length === 0;
    const count = first || this.#still.matches ? 1 : (BATCHES.findLast((size) => size * this.#each <= BATCH_TIME) ?? 1);
    const places = Array.from({ length: count }, (_, index) => (first ? 0 : this.#asked + (index + 1) * step));
    this.#asked = places[count - 1];
    const start = performance.now();
    try {
      const samples = await this.#session.interpolate({ ...this.#request(places), class: this.#class });
      if (run !== this.#run) return void samples.bitmap?.close();
      places.forEach((place, index) => this.#frames.push({ place, samples, index, shown: false }));
    } catch (error) {
      if (run === this.#run) this.#fail(error);
      return;
    }
    const each = (performance.now() - start) / count;
    this.#each = first ? Math.min(each, 200) : 0.7 * this.#each + 0.3 * each;
    this.#busy = false;
  }

  /** Anchors and weights of places on the path. */
  #request(places) {
    const from = Math.max(0, Math.floor(places[0]) - 1);
    const to = Math.floor(places[places.length - 1]) + 2;
    while (this.#anchors.length <= to) this.#anchors.push(this.#next(this.#anchors[this.#anchors.length - 1]));
    const rows = places.map((place) => {
      const row = new Array(to - from + 1).fill(0);
      const index = Math.floor(place);
      catmullRom(place - index).forEach((weight, offset) => {
        row[Math.max(from, index - 1 + offset) - from] += weight;
      });
      return row;
    });
    return fold(this.#anchors.slice(from, to + 1), rows);
  }
}
