/**
 * Count, size and first pictures of a zip or an IDX file, so that the page can show them and offer the presets that
 * fit. Reads a few kilobytes; what it does not understand is null, and the trainer has the last word.
 */

/** @typedef {{count: number | null, side: number | null, size: string | null, labels: boolean | null, pictures: Blob[]}} Peek */

const UNKNOWN = { count: null, side: null, size: null, labels: null, pictures: [] };
const MOST_UNPACKED = 16 << 20;
const PICTURE = /\.(png|jpe?g|webp|bmp|gif)$/i;

/** @param {import("./own-files.js").Given} given @param {number} pictures how many to show @returns {Promise<Peek>} */
export async function peek(given, pictures = 24) {
  try {
    if (given.kind === "zip") return await peekZip(given.files[0].file, pictures);
    if (given.kind === "idx") return await peekIdx(given.files);
    if (given.kind === "cifar") return { ...UNKNOWN, ...shape(32, 32), labels: true };
  } catch {
    // Damaged: the trainer says how, in a sentence that names the file.
  }
  return UNKNOWN;
}

async function peekIdx(files) {
  const { path, file } = files[0];
  let start = file;
  if (/\.gz$/.test(path)) {
    const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    start = new Blob([(await reader.read()).value ?? new Uint8Array()]);
    await reader.cancel();
  }
  const view = new DataView(await start.slice(0, 16).arrayBuffer());
  return { count: view.getUint32(4), ...shape(view.getUint32(12), view.getUint32(8)), labels: files.length > 1, pictures: [] };
}

async function peekZip(file, most) {
  const entries = await listZip(file);
  const found = entries.filter(({ name }) => PICTURE.test(name) && !name.startsWith("__MACOSX/"));
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  const pictures = [];
  for (const entry of found.slice(0, most)) pictures.push(await unzip(file, entry));
  const first = pictures.length > 0 ? await createImageBitmap(pictures[0]) : null;
  const { side, size } = first ? shape(first.width, first.height) : UNKNOWN;
  first?.close();
  const labels = entries.some(({ name }) => /(^|\/)dataset\.json$/.test(name));
  return { count: found.length, side, size, labels, pictures };
}

function shape(width, height) {
  return { side: width === height ? width : null, size: `${width} x ${height}` };
}

/** The central directory of a zip (APPNOTE 4.3.12), without ZIP64. */
export async function listZip(file) {
  const tail = new DataView(await file.slice(-65_557).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error("no end of a zip");
  const count = tail.getUint16(end + 10, true);
  const size = tail.getUint32(end + 12, true);
  const offset = tail.getUint32(end + 16, true);
  const directory = new DataView(await file.slice(offset, offset + size).arrayBuffer());
  const text = new TextDecoder();
  const entries = [];
  for (let at = 0; entries.length < count; ) {
    if (directory.getUint32(at, true) !== 0x02014b50) throw new Error("no entry of a zip");
    const nameLength = directory.getUint16(at + 28, true);
    entries.push({
      name: text.decode(new Uint8Array(directory.buffer, at + 46, nameLength)),
      method: directory.getUint16(at + 10, true),
      packed: directory.getUint32(at + 20, true),
      offset: directory.getUint32(at + 42, true),
    });
    at += 46 + nameLength + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
  }
  return entries;
}

async function unzip(file, { method, packed, offset }) {
  const header = new DataView(await file.slice(offset, offset + 30).arrayBuffer());
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const data = file.slice(start, start + packed);
  if (method === 0) return data;
  const reader = data.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  // A few bytes can promise gigabytes.
  for (let size = 0; size <= MOST_UNPACKED; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    parts.push(value);
    size += value.length;
  }
  await reader.cancel();
  throw new Error("too large to show");
}
