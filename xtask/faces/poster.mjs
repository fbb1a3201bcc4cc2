// Samples as the poster that the page shows while the model loads:
// `node poster.mjs <folder of seed0000.png ...> <out.png> [--columns 6]`.

import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decode, encode } from "fast-png";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { columns: { type: "string", default: "6" } },
});
const [folder, out] = positionals;
const columns = Number(values.columns);
if (!out || !Number.isSafeInteger(columns) || columns < 1) {
  console.error("usage: node poster.mjs <folder> <out.png> [--columns N]");
  process.exit(2);
}
const names = readdirSync(folder).filter((name) => name.endsWith(".png")).sort();
const pictures = names.map((name) => decode(readFileSync(join(folder, name))));
const side = pictures[0]?.width;
if (!pictures.every(({ width, height, channels }) => width === side && height === side && channels === 3)) {
  console.error(`poster: ${folder} should hold square RGB pictures of one size, as \`r3gan sample\` writes them`);
  process.exit(3);
}
const [width, height] = [columns * side, Math.ceil(pictures.length / columns) * side];
const data = new Uint8Array(width * height * 3);
pictures.forEach((picture, number) => {
  const [left, top] = [(number % columns) * side, Math.floor(number / columns) * side];
  for (let row = 0; row < side; row += 1) {
    data.set(picture.data.subarray(row * side * 3, (row + 1) * side * 3), ((top + row) * width + left) * 3);
  }
});
const unfinished = `${out}.unfinished`;
writeFileSync(unfinished, encode({ width, height, channels: 3, data }, { zlib: { level: 9 } }));
renameSync(unfinished, out);
