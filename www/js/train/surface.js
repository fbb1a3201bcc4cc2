/** The critic's opinion as colours: only differences of logits mean anything, so they are centred and scaled. */

/** Logits to -1 (made) .. 1 (real): the median becomes 0, and nine tenths lie inside. */
export function normalize(logits) {
  const sorted = Float32Array.from(logits).filter(Number.isFinite).sort();
  const quantile = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const middle = quantile(0.5);
  const reach = Math.max(quantile(0.95) - middle, middle - quantile(0.05), 1e-6);
  return Float32Array.from(logits, (value) =>
    Number.isFinite(value) ? Math.max(-1, Math.min(1, (value - middle) / reach)) : 0,
  );
}

/**
 * @param {Float32Array} values -1..1
 * @param {{ground: number[], made: number[], real: number[]}} colours
 * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA
 */
export function heat(values, { ground, made, real }) {
  const pixels = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, index) => {
    const toward = value < 0 ? made : real;
    const share = 0.6 * Math.abs(value) ** 0.9;
    for (let channel = 0; channel < 3; channel++) {
      pixels[index * 4 + channel] = ground[channel] + (toward[channel] - ground[channel]) * share;
    }
    pixels[index * 4 + 3] = 255;
  });
  return pixels;
}
