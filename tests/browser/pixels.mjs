// Pixels of canvases. The functions that take a canvas run in the page.

/** Size, digest and number of colours of a canvas, and its levels in small. */
export async function canvasFacts(canvas) {
  if (!canvas.width || !canvas.height) return { width: 0, height: 0, digest: "", colours: 0, levels: [] };
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const small = new OffscreenCanvas(24, 24).getContext("2d");
  small.drawImage(canvas, 0, 0, 24, 24);
  return {
    width: canvas.width,
    height: canvas.height,
    levels: Array.from(small.getImageData(0, 0, 24, 24).data),
    digest: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    colours: new Set(new Uint32Array(data.buffer)).size,
  };
}

/** RGBA of a canvas as base64. */
export function canvasPixels(canvas) {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let i = 0; i < data.length; i += 4096) text += String.fromCharCode(...data.subarray(i, i + 4096));
  return { width: canvas.width, height: canvas.height, data: btoa(text) };
}

/** Whether two canvases show the same; smoothing, which may run on another processor the next time, may differ a little. */
export function alike(one, other) {
  if (one.levels.length !== other.levels.length || one.levels.length === 0) return false;
  const difference = one.levels.reduce((sum, value, i) => sum + Math.abs(value - other.levels[i]), 0) / one.levels.length;
  return difference < 1;
}
