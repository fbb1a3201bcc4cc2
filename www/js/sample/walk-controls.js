// Play, pause and pace of the walk, which the large view shows.

import { randomSeed } from "./seeds.js";
import { Walk } from "./walk.js";

const PACES = [8, 5, 3, 2, 1.4, 1, 0.6]; // seconds from one picture to the next, by the slider
const by = (id) => document.getElementById(id);

export class WalkControls {
  #walk;

  /**
   * @param {import("./portrait.js").Portrait} portrait
   * @param {(error: Error) => void} fail
   */
  constructor(portrait, fail) {
    this.#walk = new Walk((picture, place) => {
      portrait.show(picture);
      portrait.name(...names(place));
    }, fail);
    by("walk-speed").addEventListener("input", () => this.#pace());
    this.#pace();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      by("walk-note").textContent = "Your system asks for less motion: the walk shows a still every two seconds, each a sample of the network.";
    }
  }

  get playing() {
    return this.#walk.playing;
  }

  /**
   * Through the pictures that are shown, in their order, then on to others.
   * @param {import("./session.js").Session} session
   * @param {import("./view.js").View} view
   */
  play(session, view) {
    const rest = view.list.slice(view.index + 1);
    this.#walk.start(session, view.seed, view.classOf(view.index), () => rest.shift() ?? randomSeed());
    this.#button("pause", "Pause");
  }

  pause() {
    if (!this.playing) return;
    this.#walk.stop();
    this.#button("play", "Walk");
  }

  #button(icon, words) {
    by("walk-play").querySelector("use").setAttribute("href", `#i-${icon}`);
    by("walk-play").querySelector("span").textContent = words;
  }

  #pace() {
    const seconds = PACES[Number(by("walk-speed").value)];
    this.#walk.pace = seconds;
    by("walk-pace").textContent = `${seconds} s per picture`;
    by("walk-speed").setAttribute("aria-valuetext", `${seconds} seconds per picture`);
  }
}

/** A title, and a description for those who do not see the picture. */
function names({ from, to, share }) {
  if (share < 0.005) return [`Seed ${from}`, `Seed ${from}`];
  return [`${from} → ${to}`, `Between seed ${from} and seed ${to}`];
}
