// A measurement as a line of JSON, with the keys of `r3gan bench --json`.

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/**
 * @param {{ peer: string, preset: string, what: string, batch: number, device: string, [key: string]: unknown }} facts
 * @param {number[]} seconds of each run
 */
export function line({ peer, preset, what, batch, device, ...others }, seconds) {
  const typical = median(seconds);
  return {
    peer,
    preset,
    what,
    batch,
    device,
    dtype: "f32",
    median_s: typical,
    // Not as arguments, of which a call takes no hundred thousand.
    min_s: seconds.reduce((least, other) => Math.min(least, other)),
    max_s: seconds.reduce((most, other) => Math.max(most, other)),
    images_per_s: batch / typical,
    runs: seconds.length,
    ...others,
  };
}

/**
 * Seconds of `runs` calls, after `warmup` others; each of the two, if there is a warm-up, goes on for `least` seconds, since a
 * browser translates anew what it has run often. Once `limit` seconds have gone by it ends early, after one run at least.
 *
 * @param {(run: number) => Promise<unknown>} work gives the seconds itself where it has a better clock
 * @param {{ runs: number, warmup: number, least?: number, limit: number }} extent
 */
export async function timed(work, { runs, warmup, least = 0, limit }) {
  const since = (start) => (performance.now() - start) / 1000;
  const began = performance.now();
  const over = () => since(began) > limit;
  let run = 0;
  while ((run < warmup || (warmup && since(began) < least)) && !over()) await work(run++);
  const seconds = [];
  const warm = performance.now();
  while ((seconds.length < runs || since(warm) < least) && !(seconds.length && over())) {
    const start = performance.now();
    const own = await work(run++);
    const took = typeof own === "number" ? own : (performance.now() - start) / 1000;
    seconds.push(Math.round(took * 1e6) / 1e6);
  }
  return seconds;
}
