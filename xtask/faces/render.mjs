// Cartoon faces as a data set: `node render.mjs <out.zip> --count 12000 --side 64 --seed 1`.
//
// facesjs (Apache-2.0) draws each face as SVG from random features, resvg makes the pixels. Every picture has
// its own seed, so the same arguments give the same pictures, and a smaller set is the beginning of a larger one.
// `--small` writes the same pixels in fewer bytes: no alpha, no filters (which do not suit drawings), packed hard.

import { renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Resvg } from "@resvg/resvg-js";
import { encode } from "fast-png";
import { zipSync } from "fflate";
import { faceToSvgString, generate } from "facesjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "12000" },
    side: { type: "string", default: "64" },
    seed: { type: "string", default: "1" },
    small: { type: "boolean", default: false },
  },
});
const [out] = positionals;
const [count, side, seed] = [values.count, values.side, values.seed].map(Number);
if (!out || ![count, side, seed].every(Number.isSafeInteger) || count < 1 || side < 8 || seed < 0) {
  console.error("usage: node render.mjs <out.zip> [--count N] [--side PIXELS] [--seed N] [--small]");
  process.exit(2);
}

const BACKGROUNDS = ["#cfe3ee", "#f3d9c9", "#d9e8d0", "#e5dbef", "#f4e7b8", "#d5d9de"];
const JERSEYS = ["#3f6fa8", "#a8443f", "#3f8f62", "#d09a2f", "#6f4fa0", "#3b3f45"];
/** Head and neck of the 400 x 600 drawing. */
const CROP = { x: -5, y: 82, side: 410 };

/** Mulberry32: facesjs draws from Math.random, which cannot be seeded, so it is replaced for each face. */
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function drawing(number) {
  const random = seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
  Math.random = random;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const jersey = pick(JERSEYS);
  const background = pick(BACKGROUNDS);
  const face = generate(
    { teamColors: [jersey, jersey, "#ffffff"], accessories: { id: "none" } },
    { gender: random() < 0.5 ? "female" : "male" },
  );
  const { x, y, side: crop } = CROP;
  const frame = `<rect x="${x}" y="${y}" width="${crop}" height="${crop}" fill="${background}"/>`;
  return faceToSvgString(face).replace(/<svg[^>]*>/, (svg) => {
    const bare = svg.replace(/ (viewBox|width|height|preserveAspectRatio)="[^"]*"/g, "");
    return `${bare.slice(0, -1)} viewBox="${x} ${y} ${crop} ${crop}">${frame}`;
  });
}

function smallPng({ width, height, pixels }) {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    data.set(pixels.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  }
  return encode({ width, height, channels: 3, data }, { zlib: { level: 9 } });
}

const entries = {};
for (let number = 0; number < count; number += 1) {
  const picture = new Resvg(drawing(number), {
    fitTo: { mode: "width", value: side },
    background: "#ffffff",
    font: { loadSystemFonts: false },
  }).render();
  const name = `${String(number).padStart(6, "0")}.png`;
  const png = values.small ? smallPng(picture) : picture.asPng();
  // A fixed time in every zone, so that the zip has the same bytes wherever it is made.
  entries[name] = [png, { level: 0, mtime: new Date(2026, 0, 1) }];
  if ((number + 1) % 2000 === 0) console.error(`${number + 1} of ${count} faces`);
}
const unfinished = `${out}.unfinished`;
writeFileSync(unfinished, zipSync(entries));
renameSync(unfinished, out);
