// What the address asks to measure.

export const WORK = ["sample", "first", "critic", "generator", "iteration"];
export const DEVICES = ["auto", "webgpu", "cpu"];

/** For a visitor who asks for nothing: a minute or so on most machines. */
const USUAL = [
  ["points", "iteration"],
  ["demo-32", "first"],
  ["demo-32", "sample"],
  ["demo-32", "iteration"],
];

/** The most that one number of the address may be. */
const MOST = { batch: 4096, runs: 1000, warmup: 1000, least: 3600, limit: 86_400, threads: 1024 };

/** @typedef {{ preset: string, what: string, device: "auto" | "webgpu" | "cpu", batch: number, runs: number, warmup: number, least: number, limit: number, threads?: number }} Job */

/** Batches at which one run takes seconds rather than minutes, even on a processor. */
export function usualBatch(preset, what) {
  if (what === "first") return 1;
  if (preset === "points") return 256;
  if (what === "sample") return preset.startsWith("demo-") ? 16 : 1;
  return preset.startsWith("demo-") ? 8 : 1;
}

/**
 * One job for each preset and each `what` of `?preset=demo-32,points&what=sample,iteration&device=cpu&batch=8&runs=5`,
 * with `warmup` runs before those, `least` seconds for each of the two, a `limit` in seconds for both, and at most so many
 * `threads` of the CPU.
 *
 * @param {URLSearchParams} query
 * @param {string[]} presets that there are
 * @returns {Job[]}
 */
export function jobs(query, presets) {
  const list = (name, allowed, usual) => {
    const values = query.get(name)?.split(",").filter(Boolean) ?? [];
    const unknown = values.find((value) => !allowed.includes(value));
    if (unknown) throw new Error(`${name}: there is no '${unknown}'; choose from ${allowed.join(", ")}`);
    return values.length ? values : usual;
  };
  const number = (name, least, usual) => {
    const text = query.get(name);
    if (!text) return usual;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > MOST[name]) {
      throw new Error(`${name}: ${text} is not a whole number from ${least} to ${MOST[name]}`);
    }
    return value;
  };
  const [device] = list("device", DEVICES, ["auto"]);
  const pairs =
    query.has("preset") || query.has("what")
      ? list("preset", presets, ["demo-32"]).flatMap((preset) => list("what", WORK, ["sample"]).map((what) => [preset, what]))
      : USUAL;
  return pairs.map(([preset, what]) => ({
    preset,
    what,
    device,
    batch: number("batch", 1, usualBatch(preset, what)),
    runs: number("runs", 1, what === "first" ? 3 : 7),
    // What is warm is no first sample.
    warmup: what === "first" ? 0 : number("warmup", 0, 2),
    least: what === "first" ? 0 : number("least", 0, 0),
    limit: number("limit", 1, 30),
    threads: number("threads", 1, undefined),
  }));
}
