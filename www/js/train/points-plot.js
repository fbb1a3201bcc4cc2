/** Points in the plane: the data, what the generator makes, and the critic's opinion of every place. */

import { fit } from "../shared/picture.js";
import { colour, rgb } from "./colours.js";
import { heat, normalize } from "./surface.js";

export class PointsPlot {
  /** @param {HTMLCanvasElement} canvas @param {number} reach the plot goes from -reach to reach */
  constructor(canvas, reach) {
    this.canvas = canvas;
    this.reach = reach;
    this.real = null;
    this.made = null;
    this.small = document.createElement("canvas");
    /** -1..1, square, row by row downwards. */
    this.surface = null;
  }

  setReal(values) {
    this.real = values;
  }

  setMade(values) {
    this.made = values;
  }

  setSurface(logits) {
    this.surface = normalize(logits);
  }

  draw() {
    fit(this.canvas);
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.fillStyle = colour("--surface");
    context.fillRect(0, 0, width, height);
    if (this.surface) this.#drawSurface(context);
    const dot = Math.max(1, width / 380);
    if (this.real) this.#drawPoints(context, this.real, dot * 0.9, colour("--ink"), 0.4);
    if (this.made) this.#drawPoints(context, this.made, dot * 1.15, colour("--series-1"), 0.85);
  }

  #drawSurface(context) {
    const side = Math.round(Math.sqrt(this.surface.length));
    const { small } = this;
    small.width = side;
    small.height = side;
    const pixels = heat(this.surface, {
      ground: rgb(colour("--surface")),
      made: rgb(colour("--series-3")),
      real: rgb(colour("--series-2")),
    });
    small.getContext("2d").putImageData(new ImageData(pixels, side, side), 0, 0);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, context.canvas.width, context.canvas.height);
  }

  #drawPoints(context, values, radius, style, alpha) {
    const { width, height } = context.canvas;
    context.save();
    context.globalAlpha = alpha;
    context.fillStyle = style;
    context.beginPath();
    for (let index = 0; index + 1 < values.length; index += 2) {
      const x = (values[index] / this.reach / 2 + 0.5) * width;
      const y = (0.5 - values[index + 1] / this.reach / 2) * height;
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fill();
    context.restore();
  }
}
