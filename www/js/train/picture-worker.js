/** Decodes, crops and reduces one picture at a time, away from the page's thread. */

import { centreSquare, decodeRefusal, fileRefusal, reductionSides, sizeRefusal } from "./picture-rules.js";

self.onmessage = async ({ data: { path, file, side } }) => {
  try {
    const { bytes, enlarged } = await prepare(path, file, side);
    self.postMessage({ bytes, enlarged }, { transfer: [bytes.buffer] });
  } catch (error) {
    self.postMessage({ refused: error.message });
  }
};

async function prepare(path, file, side) {
  const unusable = fileRefusal(file.size);
  if (unusable) throw new Error(unusable);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(decodeRefusal(path));
  }
  try {
    const refused = sizeRefusal(bitmap.width, bitmap.height);
    if (refused) throw new Error(refused);
    const square = centreSquare(bitmap.width, bitmap.height);
    const canvas = reduce(bitmap, square, side);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    return { bytes: new Uint8Array(await blob.arrayBuffer()), enlarged: square.side < side };
  } finally {
    bitmap.close();
  }
}

function reduce(bitmap, square, side) {
  let source = bitmap;
  let { x, y, side: from } = square;
  for (const to of reductionSides(square.side, side)) {
    const canvas = new OffscreenCanvas(to, to);
    // Without alpha: what is transparent comes to lie on white.
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, to, to);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(source, x, y, from, from, 0, 0, to, to);
    source = canvas;
    [x, y, from] = [0, 0, to];
  }
  return source;
}
