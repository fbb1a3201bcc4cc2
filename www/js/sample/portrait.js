// The large view of one picture: the chosen one, or where the walk is.

import { enlarge, fit } from "../shared/picture.js";
import { saveEnlarged } from "./saving.js";

export class Portrait {
  #canvas = document.getElementById("portrait-canvas");
  #title = document.getElementById("portrait-title");
  /** @type {HTMLCanvasElement | null} */
  #picture = null;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
  }

  /** Draws at once; the name is left for `name`, so that a walk does not chatter. */
  show(picture) {
    this.#picture = picture;
    this.#draw();
  }

  name(title, description = title) {
    this.#title.textContent = title;
    this.#canvas.setAttribute("aria-label", `${description}, large`);
  }

  #draw() {
    fit(this.#canvas);
    const context = this.#canvas.getContext("2d");
    if (this.#picture) enlarge(context, this.#picture);
    else context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  save(name) {
    return saveEnlarged(this.#picture, name);
  }
}
