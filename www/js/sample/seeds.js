// Which seeds the grid shows: a first one and those that follow, or a list.

export const LAST = 2 ** 32 - 1;
export const SIZES = [6, 24, 54, 96];

/** @typedef {{ start: number } | { list: number[] }} Seeds */

/**
 * "12" -> { start: 12 }; "3, 8, 20-25" -> { list }; null if it is neither.
 * @param {string | null} text
 * @returns {Seeds | null}
 */
export function parseSeeds(text) {
  const words = (text ?? "").split(/[\s,;]+/).filter(Boolean);
  const most = SIZES[SIZES.length - 1];
  const list = [];
  for (const word of words) {
    const range = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(word);
    if (!range) return null;
    const from = Number(range[1]);
    const to = Number(range[2] ?? range[1]);
    if (to > LAST || from > to || list.length + to - from + 1 > most) return null;
    for (let seed = from; seed <= to; seed += 1) list.push(seed);
  }
  if (list.length === 0) return null;
  return list.length === 1 ? { start: list[0] } : { list };
}

/** The same as text: { list: [3, 8, 9, 10] } -> "3,8-10". */
export function formatSeeds(seeds) {
  if ("start" in seeds) return String(seeds.start);
  const runs = [];
  for (const seed of seeds.list) {
    const run = runs[runs.length - 1];
    if (run && seed === run[1] + 1) run[1] = seed;
    else runs.push([seed, seed]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

/** @returns {number[]} */
export function listSeeds(seeds, count) {
  if ("list" in seeds) return seeds.list;
  const start = Math.min(seeds.start, LAST - count + 1);
  return Array.from({ length: count }, (_, index) => start + index);
}

/** Short enough to read aloud, and far from the ones before. */
export function randomSeed() {
  return Math.floor(Math.random() * 1_000_000);
}
