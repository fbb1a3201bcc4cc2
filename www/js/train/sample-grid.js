/** Pictures on a canvas, side by side. */

import { enlarge, fit } from "../shared/picture.js";

/** Share of a tile between two tiles. */
const GAP = 0.04;
/** One canvas for all tiles: new ones every second would pile up until the browser tidies. */
let tile = null;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("../../pkg/index.js").Samples} samples
 * @param {{columns: number, rows: number}} grid
 */
export function drawGrid(canvas, samples, { columns, rows }) {
  fit(canvas);
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const pitch = canvas.width / (columns + (columns - 1) * GAP);
  const side = Math.round(pitch);
  tile ??= document.createElement("canvas");
  tile.width = samples.width;
  tile.height = samples.height;
  const image = new ImageData(samples.width, samples.height);
  const size = samples.width * samples.height * 4;
  for (let index = 0; index < Math.min(samples.count, columns * rows); index++) {
    const x = Math.round((index % columns) * pitch * (1 + GAP));
    const y = Math.round(Math.floor(index / columns) * pitch * (1 + GAP));
    image.data.set(samples.pixels.subarray(index * size, (index + 1) * size));
    tile.getContext("2d").putImageData(image, 0, 0);
    enlarge(context, tile, x, y, side, side);
  }
}

/** What is on a canvas, small enough to be kept with a saved run. */
export function thumbnail(canvas, side = 192) {
  if (canvas.width < 2 || canvas.height < 2) return null;
  const small = document.createElement("canvas");
  small.width = side;
  small.height = side;
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, side, side);
  return small.toDataURL("image/webp", 0.8);
}
