// The mix pad: a square between four pictures, or a strip between two. Behind the puck lies a map of what is there;
// beside it the mixture itself. Only the newest position is computed.

import { latest } from "../shared/latest.js";
import { enlarge, fit, samplesToCanvases } from "../shared/picture.js";
import { percent } from "../shared/format.js";
import { saveEnlarged } from "./saving.js";
import { randomSeed } from "./seeds.js";
import { bilinear, fold } from "./weights.js";

const CELLS = 5; // of the map, each way
const CORNERS = { 2: ["Left", "Right"], 4: ["Top left", "Top right", "Bottom left", "Bottom right"] };

export class Mix {
  #pad = document.getElementById("mix-pad");
  #puck = document.getElementById("mix-puck");
  #map = document.getElementById("mix-map");
  #canvas = document.getElementById("mix-canvas");
  #caption = document.getElementById("mix-caption");
  #chips = document.getElementById("mix-anchors");
  #chosen;
  #fail;
  #session = null;
  #class;
  #seeds = [0, 1, 2, 3];
  #count = 4;
  #x = 0.5;
  #y = 0.5;
  #cells = [];
  #run = 0;
  #seen = false;
  /** @type {HTMLCanvasElement | null} */
  #picture = null;
  #mix = latest(() => this.#draw());

  /**
   * @param {() => number} chosen the seed that is chosen in the grid
   * @param {(error: Error) => void} fail
   */
  constructor(chosen, fail) {
    this.#chosen = chosen;
    this.#fail = fail;
    this.#pad.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#pad.addEventListener("pointermove", (event) => this.#pad.hasPointerCapture(event.pointerId) && this.#follow(event));
    this.#pad.addEventListener("keydown", (event) => this.#key(event));
    document.getElementById("mix-shuffle").addEventListener("click", () => this.anchors(this.#seeds.map(randomSeed)));
    document.getElementById("mix-save").addEventListener("click", () => this.#picture && this.#save());
    for (const input of document.querySelectorAll('input[name="mix-count"]')) {
      input.addEventListener("change", () => this.#mode(Number(input.value)));
    }
    new ResizeObserver(() => this.#paint()).observe(this.#pad);
    // Nothing is computed before somebody sees it.
    new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting) || this.#seen) return;
      this.#seen = true;
      this.#refresh();
    }, { rootMargin: "300px" }).observe(this.#pad);
    this.#place();
    this.#chipsAnew();
  }

  /**
   * @param {import("./session.js").Session | null} session
   * @param {number} [label] the class of all mixtures
   */
  use(session, label) {
    if (session === this.#session && label === this.#class) return;
    this.#session = session;
    this.#class = label;
    this.#refresh();
  }

  /** @param {number[]} seeds four, in reading order */
  anchors(seeds) {
    this.#seeds = seeds;
    this.#chipsAnew();
    this.#refresh();
  }

  /** The chosen picture changed, which the chips offer to take. */
  chosenChanged() {
    this.#labels();
  }

  #mode(count) {
    this.#count = count;
    this.#pad.classList.toggle("strip", count === 2);
    if (count === 2) this.#y = 0.5;
    this.#place();
    this.#chipsAnew();
    this.#refresh();
  }

  #refresh() {
    this.#run += 1;
    this.#cells = [];
    if (!this.#session || !this.#seen) return;
    this.#mix();
    this.#survey(this.#run);
  }

  /** Fills the map, a row at a time, after the mixture itself. */
  async #survey(run) {
    const rows = this.#count === 2 ? 1 : CELLS;
    try {
      for (let row = 0; row < rows; row += 1) {
        const places = Array.from({ length: CELLS }, (_, column) => bilinear(this.#count, column / (CELLS - 1), row / (CELLS - 1)));
        const samples = await this.#session.interpolate(this.#request(places));
        if (run !== this.#run) return void samples.bitmap?.close();
        this.#cells.splice(row * CELLS, CELLS, ...samplesToCanvases(samples));
        this.#paint();
      }
      this.#thumbnails();
    } catch (error) {
      if (run === this.#run) this.#fail(error);
    }
  }

  async #draw() {
    const run = this.#run;
    try {
      const samples = await this.#session.interpolate(this.#request([bilinear(this.#count, this.#x, this.#y)]));
      if (run !== this.#run) return void samples.bitmap?.close();
      [this.#picture] = samplesToCanvases(samples);
      this.#paint();
    } catch (error) {
      if (run === this.#run) this.#fail(error);
    }
  }

  #request(rows) {
    return { ...fold(this.#seeds.slice(0, this.#count), rows), class: this.#class };
  }

  #paint() {
    fit(this.#map);
    const context = this.#map.getContext("2d");
    const rows = this.#count === 2 ? 1 : CELLS;
    const { width, height } = this.#map;
    context.clearRect(0, 0, width, height);
    this.#cells.forEach((cell, index) => {
      const x = Math.round(((index % CELLS) * width) / CELLS);
      const y = Math.round((Math.floor(index / CELLS) * height) / rows);
      enlarge(context, cell, x, y, Math.ceil(width / CELLS), Math.ceil(height / rows));
    });
    fit(this.#canvas);
    if (this.#picture) enlarge(this.#canvas.getContext("2d"), this.#picture);
  }

  // The puck moves between the centres of the outer cells, so that it always lies on what it makes.

  #grab(event) {
    if (event.button !== 0) return;
    this.#pad.setPointerCapture(event.pointerId);
    this.#follow(event);
  }

  #follow(event) {
    const box = this.#pad.getBoundingClientRect();
    const at = (position, size) => Math.min(1, Math.max(0, ((position / size) * CELLS - 0.5) / (CELLS - 1)));
    this.#move(at(event.clientX - box.left, box.width), this.#count === 2 ? 0.5 : at(event.clientY - box.top, box.height));
  }

  #key(event) {
    const step = event.shiftKey ? 0.25 : 0.05;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step], Home: [-1, 0], End: [1, 0] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const within = (value) => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));
    this.#move(within(this.#x + move[0]), this.#count === 2 ? 0.5 : within(this.#y + move[1]));
  }

  #move(x, y) {
    if (x === this.#x && y === this.#y) return;
    this.#x = x;
    this.#y = y;
    this.#place();
    if (this.#session) this.#mix();
  }

  #place() {
    const along = (value) => `${((value * (CELLS - 1) + 0.5) / CELLS) * 100}%`;
    this.#puck.style.left = along(this.#x);
    this.#puck.style.top = this.#count === 2 ? "50%" : along(this.#y);
    const shares = bilinear(this.#count, this.#x, this.#y)
      .map((weight, index) => [weight, this.#seeds[index]])
      .filter(([weight]) => weight >= 0.005)
      .sort(([one], [other]) => other - one);
    this.#caption.replaceChildren(
      ...shares.flatMap(([weight, seed]) => {
        const share = document.createElement("span");
        share.textContent = `${seed}: ${percent(weight)}`;
        return [share, " "];
      }),
    );
    this.#pad.setAttribute("aria-valuenow", String(Math.round(this.#x * 100)));
    const words = shares.map(([weight, seed]) => `seed ${seed} ${percent(weight)}`).join(", ");
    this.#pad.setAttribute("aria-valuetext", words);
    this.#canvas.setAttribute("aria-label", `A mixture: ${words}`);
  }

  #chipsAnew() {
    this.#chips.replaceChildren(
      ...this.#seeds.slice(0, this.#count).map((_, index) => {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.className = "chip";
        chip.dataset.testid = `mix-anchor-${index}`;
        chip.append(document.createElement("canvas"), document.createElement("span"));
        chip.addEventListener("click", () => this.anchors(this.#seeds.with(index, this.#chosen())));
        return chip;
      }),
    );
    this.#labels();
    this.#place();
  }

  #labels() {
    const chosen = this.#chosen();
    [...this.#chips.children].forEach((chip, index) => {
      const where = CORNERS[this.#count][index];
      const label = chip.querySelector("span");
      label.replaceChildren(where, document.createElement("br"), `Seed ${this.#seeds[index]}`);
      chip.setAttribute("aria-label", `${where} Seed ${this.#seeds[index]}: put seed ${chosen} in its place`);
      chip.title = `Put the chosen picture, seed ${chosen}, here`;
    });
  }

  #thumbnails() {
    const last = CELLS - 1;
    const corners = this.#count === 2 ? [0, last] : [0, last, last * CELLS, last * CELLS + last];
    [...this.#chips.children].forEach((chip, index) => {
      const canvas = chip.querySelector("canvas");
      fit(canvas);
      enlarge(canvas.getContext("2d"), this.#cells[corners[index]]);
    });
  }

  #save() {
    return saveEnlarged(this.#picture, `mix-of-${this.#seeds.slice(0, this.#count).join("-")}`).catch(this.#fail);
  }
}
