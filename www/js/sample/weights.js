// How samples between samples are asked for: weights on latents. The package scales the sum back to a Gaussian, which
// is right for latents that differ; the same seed twice is therefore folded into one anchor.

/** @returns {{ seeds: number[], weights: number[][] }} */
export function fold(seeds, rows) {
  const kept = [...new Set(seeds)];
  const weights = rows.map((row) => {
    const sum = new Array(kept.length).fill(0);
    row.forEach((weight, index) => {
      sum[kept.indexOf(seeds[index])] += weight;
    });
    return sum;
  });
  return { seeds: kept, weights };
}

/** Corners in reading order; with two anchors only `x` counts. */
export function bilinear(count, x, y) {
  if (count === 2) return [1 - x, x];
  return [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
}

/**
 * Catmull-Rom: a path through every anchor that turns smoothly there.
 * @returns {number[]} weights of the anchor before, the two that `t` lies between, and the one after
 */
export function catmullRom(t) {
  const t2 = t * t;
  const t3 = t2 * t;
  return [-0.5 * t + t2 - 0.5 * t3, 1 - 2.5 * t2 + 1.5 * t3, 0.5 * t + 2 * t2 - 1.5 * t3, -0.5 * t2 + 0.5 * t3];
}
