/** Numbers of a chart in few characters. */

/** 12300 -> "12.3k". */
export function compact(number) {
  if (number < 1000) return String(Math.round(number));
  if (number < 1e6) return `${trim(number / 1000)}k`;
  return `${trim(number / 1e6)}M`;
}

/** Three digits that count: 0.0512, 1.37, 240, 2.4e-5. */
export function figure(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e5)) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(3)));
}

/** Ticks of a logarithmic axis from `least` to `most`: 1, 2 and 5 where there is room, else every so many decades. */
export function logTicks(least, most) {
  const from = Math.floor(Math.log10(least));
  const to = Math.ceil(Math.log10(most));
  const step = Math.max(1, Math.ceil((to - from) / 5));
  const digits = Math.log10(most / least) <= 2.001 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let decade = from; decade <= to; decade += step) ticks.push(...digits.map((digit) => Number(`${digit}e${decade}`)));
  return ticks.filter((tick) => tick >= least && tick <= most);
}

function trim(value) {
  return String(Number(value.toPrecision(3)));
}
