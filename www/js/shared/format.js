// Numbers for people.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** 1475 -> "1.5 kB"; decimal units, as browsers and file managers show them. */
export function bytes(number) {
  if (!Number.isFinite(number)) return "unknown size";
  if (number < 1000) return `${number} bytes`;
  const units = ["kB", "MB", "GB"];
  let value = number / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : whole.format(value)} ${units[unit]}`;
}

/** 1375 -> "1,375". */
export function count(number) {
  return whole.format(number);
}

/** 359400 -> "0.36 M". */
export function short(number) {
  if (number < 10_000) return whole.format(number);
  if (number < 100_000) return `${(number / 1000).toFixed(0)} k`;
  return `${(number / 1e6).toFixed(number < 9.95e6 ? 2 : 1)} M`;
}

/** Seconds -> "40 ms", "1.2 s", "3 min 05 s", "2 h 10 min". */
export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  if (all < 3600) return `${Math.floor(all / 60)} min ${String(all % 60).padStart(2, "0")} s`;
  return `${Math.floor(all / 3600)} h ${String(Math.floor((all % 3600) / 60)).padStart(2, "0")} min`;
}

/** 0.314 -> "31 %". */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}
