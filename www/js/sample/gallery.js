// The grid: a poster made beforehand, live pictures over it, and a listbox over both to choose one.

import { enlarge, fit, samplesToCanvases } from "../shared/picture.js";

const CHUNKS = [1, 2, 3, 6, 12, 24]; // few sizes, so that the GPU compiles few variants
const CHUNK_TIME = 250; // ms; what a click waits for at most
const LARGEST = 2400; // pixels across a saved sheet

export class Gallery {
  #sheet = document.getElementById("sheet");
  #poster = document.getElementById("poster");
  #canvas = document.getElementById("sample-canvas");
  #choices = document.getElementById("choices");
  #onChoose;
  #run = 0;
  #columns = 6;
  #rows = 4;
  #shape = [1, 1];
  /** @type {(HTMLCanvasElement | null)[]} */
  #pictures = [];
  #points = null;
  #chosen = 0;

  /** @param {(index: number, byHand: boolean) => void} onChoose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    this.#choices.addEventListener("click", (event) => this.#pick(event.target.closest("[role=option]")));
    this.#choices.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(this.#sheet);
    document.addEventListener("themechange", () => this.#draw());
  }

  /** A picture of what the first live samples will be, or nothing. */
  poster(address, columns, rows) {
    this.#poster.hidden = !address;
    if (!address) return;
    if (this.#poster.src !== address) this.#poster.src = address;
    this.#layout(columns, rows);
  }

  /** Makes room for `count` pictures and says what each will be. */
  prepare(labels, shape = [1, 1]) {
    const [columns, rows] = arrange(labels.length);
    const same = columns === this.#columns && rows === this.#rows && labels.length === this.#pictures.length && String(shape) === String(this.#shape);
    this.#shape = shape;
    this.#points = null;
    if (!same) this.#pictures = new Array(labels.length).fill(null);
    this.#layout(columns, rows);
    this.#choices.hidden = false;
    this.#choices.replaceChildren(
      ...labels.map((label, index) => {
        const option = document.createElement("div");
        option.setAttribute("role", "option");
        option.setAttribute("aria-label", label);
        option.dataset.label = label.replace(/^Seed /, "");
        option.dataset.index = String(index);
        return option;
      }),
    );
    this.choose(Math.min(this.#chosen, labels.length - 1), { silent: true });
    if (!same) this.#draw();
  }

  /**
   * Fills the grid, a chunk at a time; a later call ends an earlier one.
   * @param {import("./session.js").Session} session
   * @param {number[]} seeds
   * @param {number[] | undefined} classes one for each seed
   * @param {(done: number) => void} onPart
   * @returns {Promise<number | null>} milliseconds, or null if a later call took over
   */
  async fill(session, seeds, classes, onPart) {
    const run = ++this.#run;
    this.#choices.setAttribute("aria-busy", "true");
    const begin = performance.now();
    let chunk = 1; // the first one also compiles what the device runs
    let most = Infinity; // that the device has memory for
    for (let done = 0; done < seeds.length; ) {
      const end = Math.min(done + chunk, seeds.length);
      const start = performance.now();
      let samples;
      try {
        samples = await session.sample({ seeds: seeds.slice(done, end), class: classes?.slice(done, end) });
      } catch (error) {
        if (run !== this.#run) return null;
        if (error.name !== "OutOfMemoryError" || chunk === 1) throw error;
        most = chunk = Math.max(1, Math.floor(chunk / 2));
        continue;
      }
      if (run !== this.#run) {
        samples.bitmap?.close();
        return null;
      }
      this.#pictures.splice(done, samples.count, ...samplesToCanvases(samples));
      this.#draw(done, end);
      const each = (performance.now() - start) / samples.count;
      chunk = CHUNKS.findLast((size) => size <= most && size * each <= CHUNK_TIME) ?? 1;
      done = end;
      onPart(done);
    }
    this.#choices.removeAttribute("aria-busy");
    this.#poster.hidden = true;
    return performance.now() - begin;
  }

  /** Points instead of pictures: nothing to choose. */
  async fillPoints(session, seeds, classes) {
    const run = ++this.#run;
    const begin = performance.now();
    this.#poster.hidden = true;
    this.#choices.hidden = true;
    this.#pictures = [];
    const samples = await session.sample({ seeds, class: classes });
    if (run !== this.#run) return null;
    this.#points = samples.values;
    this.#layout(3, 2);
    this.#draw();
    return performance.now() - begin;
  }

  describe(text) {
    this.#canvas.setAttribute("aria-label", text);
  }

  /** Ends a `fill` that runs. */
  stop() {
    this.#run += 1;
  }

  picture(index) {
    return this.#pictures[index] ?? null;
  }

  /** The same picture of the poster, once that is there. */
  async posterPicture(index) {
    const poster = this.#poster;
    try {
      await poster.decode();
    } catch {
      return null; // hidden, or not there
    }
    if (poster.hidden) return null;
    const [width, height] = [poster.naturalWidth / this.#columns, poster.naturalHeight / this.#rows];
    const picture = document.createElement("canvas");
    picture.width = width;
    picture.height = height;
    const [x, y] = [(index % this.#columns) * width, Math.floor(index / this.#columns) * height];
    picture.getContext("2d").drawImage(poster, x, y, width, height, 0, 0, width, height);
    return picture;
  }

  choose(index, { silent = false } = {}) {
    this.#chosen = Math.max(0, index);
    for (const option of this.#choices.children) {
      const chosen = Number(option.dataset.index) === this.#chosen;
      option.setAttribute("aria-selected", String(chosen));
      option.tabIndex = chosen ? 0 : -1;
    }
    if (!silent) this.#onChoose(this.#chosen, true);
  }

  /** All pictures in one, `most` times their own size or less where that would be very large. */
  sheet(most) {
    if (this.#points) return this.#canvas;
    const first = this.#pictures.find(Boolean);
    if (!first) return null;
    const scale = Math.max(1, Math.min(most, Math.floor(LARGEST / (this.#columns * first.width))));
    const sheet = document.createElement("canvas");
    const [width, height] = [first.width * scale, first.height * scale];
    sheet.width = this.#columns * width;
    sheet.height = this.#rows * height;
    const context = sheet.getContext("2d");
    this.#pictures.forEach((picture, index) => {
      if (!picture) return;
      const [x, y] = [(index % this.#columns) * width, Math.floor(index / this.#columns) * height];
      if (scale === 1) context.drawImage(picture, x, y);
      else enlarge(context, picture, x, y, width, height);
    });
    return sheet;
  }

  #layout(columns, rows) {
    this.#columns = columns;
    this.#rows = rows;
    const style = this.#sheet.style;
    style.setProperty("--columns", columns);
    style.setProperty("--rows", rows);
    style.setProperty("--shape", `${columns * this.#shape[0]} / ${rows * this.#shape[1]}`);
    this.#sheet.classList.toggle("points", this.#points !== null);
  }

  #draw(from = 0, to = this.#pictures.length) {
    const cleared = fit(this.#canvas);
    const context = this.#canvas.getContext("2d");
    if (this.#points) return drawPoints(context, this.#points);
    if (cleared || (from === 0 && to === this.#pictures.length)) {
      context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
      [from, to] = [0, this.#pictures.length];
    }
    const edge = (index, size, parts) => Math.round((index * size) / parts);
    for (let index = from; index < to; index += 1) {
      const picture = this.#pictures[index];
      if (!picture) continue;
      const column = index % this.#columns;
      const row = Math.floor(index / this.#columns);
      const x = edge(column, this.#canvas.width, this.#columns);
      const y = edge(row, this.#canvas.height, this.#rows);
      const right = edge(column + 1, this.#canvas.width, this.#columns);
      const bottom = edge(row + 1, this.#canvas.height, this.#rows);
      enlarge(context, picture, x, y, right - x, bottom - y);
    }
  }

  #pick(option) {
    if (!option) return;
    this.choose(Number(option.dataset.index));
    option.focus({ preventScroll: true });
  }

  #key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns };
    const last = this.#choices.children.length - 1;
    let next = this.#chosen + (steps[event.key] ?? 0);
    if (event.key === "Home") next = 0;
    else if (event.key === "End") next = last;
    else if (!(event.key in steps)) return;
    event.preventDefault();
    if (next < 0 || next > last) return;
    this.#pick(this.#choices.children[next]);
  }
}

/** Columns and rows with the largest pictures in a box of three to two. */
function arrange(count) {
  let best = [count, 1];
  let size = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const side = Math.min(3 / columns, 2 / rows);
    if (side > size + 1e-9) [best, size] = [[columns, rows], side];
  }
  return best;
}

/** A scatter plot that fits its points. */
function drawPoints(context, points) {
  const { width, height } = context.canvas;
  const reach = points.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6) * 1.1;
  const scale = Math.min(width, height) / 2 / reach;
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--series-1");
  context.globalAlpha = 0.55;
  const radius = Math.max(1.5, Math.min(width, height) / 260);
  for (let index = 0; index < points.length; index += 2) {
    context.beginPath();
    context.arc(width / 2 + points[index] * scale, height / 2 + points[index + 1] * scale, radius, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}
