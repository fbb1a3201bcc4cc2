// PNG files, written and read: enough to make pictures for tests and to look at those that the page saves.

import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** @param {(x: number, y: number) => [number, number, number]} colour */
export function encode(width, height, colour) {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(colour(x, y), y * (1 + width * 3) + 1 + x * 3);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const edge = Buffer.alloc(4);
  edge.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([edge, body, sum]);
}

/** An RGB or RGBA picture of 8 bits, without interlacing, as RGBA. */
export function decode(bytes) {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error("not a PNG");
  const parts = [];
  let [width, height, kind] = [0, 0, 0];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const name = bytes.toString("latin1", at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") {
      [width, height, kind] = [data.readUInt32BE(0), data.readUInt32BE(4), data[9]];
      if (data[8] !== 8 || ![2, 6].includes(kind) || data[12] !== 0) throw new Error("not 8 bits of RGB or RGBA");
    }
    if (name === "IDAT") parts.push(data);
    at += length + 12;
  }
  const size = kind === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * size;
  const rows = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const left = i >= size ? rows[y * stride + i - size] : 0;
      const up = y ? rows[(y - 1) * stride + i] : 0;
      const corner = y && i >= size ? rows[(y - 1) * stride + i - size] : 0;
      rows[y * stride + i] = raw[y * (stride + 1) + 1 + i] + predict(filter, left, up, corner);
    }
  }
  const data = Buffer.alloc(width * height * 4, 255);
  for (let i = 0; i < width * height; i++) rows.copy(data, i * 4, i * size, i * size + size);
  return { width, height, data };
}

function predict(filter, left, up, corner) {
  const near = [left, up, corner].map((value) => Math.abs(left + up - corner - value));
  const paeth = near[0] <= near[1] && near[0] <= near[2] ? left : near[1] <= near[2] ? up : corner;
  return [0, left, up, (left + up) >> 1, paeth][filter];
}
