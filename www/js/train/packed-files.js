/** Named files in one: a length, a list as JSON, then the bytes one after another. */

/** @typedef {import("./own-pictures.js").NamedBytes} NamedBytes */

/** @param {NamedBytes[]} files @returns {Uint8Array<ArrayBuffer>[]} parts of a Blob */
export function packFiles(files) {
  const list = files.map(({ name, bytes }) => ({ name, size: bytes.length }));
  const head = new TextEncoder().encode(JSON.stringify(list));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, head.length, true);
  return [length, head, ...files.map(({ bytes }) => bytes)];
}

/** @param {ArrayBuffer} buffer @returns {NamedBytes[]} copies, so that each can be handed to a worker */
export function unpackFiles(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const list = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  return list.map(({ name, size }) => {
    const bytes = new Uint8Array(buffer.slice(at, at + size));
    if (bytes.length !== size) throw new Error(`the saved data set is cut short at ${name}`);
    at += size;
    return { name, bytes };
  });
}
