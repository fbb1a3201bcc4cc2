/** How a picture of any size becomes a small square one; the numbers, without the canvas. */

/** Below this, a picture says too little. */
export const LEAST_SIDE = 8;
const MOST_BYTES = 64 * 2 ** 20;
/** A canvas of this side works everywhere. */
const MOST_CANVAS_SIDE = 2048;

/** The largest square in the middle. */
export function centreSquare(width, height) {
  const side = Math.min(width, height);
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side };
}

/**
 * The sides to draw at, one after the other: first a power of two times the target, then halved until it is reached.
 * Halving averages each 2 x 2 pixels exactly, so fine detail does not turn into noise, in any browser.
 */
export function reductionSides(from, to) {
  let side = to;
  while (side * 2 <= Math.min(from, MOST_CANVAS_SIDE)) side *= 2;
  const sides = [side];
  while (side > to) sides.push((side /= 2));
  return sides;
}

/** Why a file is not even opened, or null. */
export function fileRefusal(bytes) {
  if (bytes === 0) return "is empty";
  return bytes > MOST_BYTES ? `is larger than ${MOST_BYTES / 2 ** 20} MB` : null;
}

/** Why a decoded picture cannot be used, or null. */
export function sizeRefusal(width, height) {
  if (Math.min(width, height) >= LEAST_SIDE) return null;
  return `is only ${width} x ${height} pixels; at least ${LEAST_SIDE} x ${LEAST_SIDE} are needed`;
}

/** Why a file could not be decoded. */
export function decodeRefusal(path) {
  if (/\.hei[cf]$/i.test(path)) return "cannot be decoded by this browser; save it as JPEG or PNG";
  if (/\.(tiff?|svg)$/i.test(path)) return "is of a kind that is not taken here; save it as PNG";
  return "cannot be decoded: the file is damaged, or not what its name says";
}
