// Pixels to canvases to files.

/**
 * One sample as a canvas of its own size, a new one or `canvas`.
 * @param {{ width: number, height: number, pixels: Uint8ClampedArray, bitmap?: ImageBitmap }} samples
 */
export function sampleToCanvas(samples, index = 0, canvas = document.createElement("canvas")) {
  const { width, height, pixels, bitmap } = samples;
  const size = width * height * 4;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  if (bitmap) {
    canvas.getContext("2d").drawImage(bitmap, 0, -index * height);
    return canvas;
  }
  const image = new ImageData(new Uint8ClampedArray(pixels.subarray(index * size, (index + 1) * size)), width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** All samples as canvases; their bitmap is given back. */
export function samplesToCanvases(samples) {
  const canvases = Array.from({ length: samples.count }, (_, index) => sampleToCanvas(samples, index));
  samples.bitmap?.close();
  return canvases;
}

/**
 * Gives a canvas the pixels that its box has on this screen.
 * @returns {boolean} whether it changed, which clears it
 */
export function fit(canvas) {
  const scale = Math.min(devicePixelRatio || 1, 3);
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  if (canvas.width === width && canvas.height === height) return false;
  canvas.width = width;
  canvas.height = height;
  return true;
}

/** Draws a small picture large and smooth, over the whole of a canvas or over a part of it. */
export function enlarge(context, picture, x = 0, y = 0, width = context.canvas.width, height = context.canvas.height) {
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, width, height);
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
export function canvasBlob(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser could not write this picture as PNG."))), "image/png");
  });
}

/** Hands a file to the browser's downloads. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
