// Pictures as files: as the network made them, or enlarged as on the page.

import { canvasBlob, enlarge, save } from "../shared/picture.js";

/** Which size the visitor saves in: 1 is the network's own. */
export function saveScale() {
  return Number(document.querySelector('input[name="save-size"]:checked').value);
}

/** Large pictures are not enlarged further: "large" is at least 512 pixels. */
export function largeScale(side) {
  return Math.max(1, Math.ceil(512 / side));
}

/** @param {HTMLCanvasElement} picture */
export async function saveEnlarged(picture, name) {
  const scale = saveScale() === 1 ? 1 : largeScale(picture.width);
  let result = picture;
  if (scale > 1) {
    result = document.createElement("canvas");
    result.width = picture.width * scale;
    result.height = picture.height * scale;
    enlarge(result.getContext("2d"), picture);
  }
  save(await canvasBlob(result), `${name}.png`);
}
