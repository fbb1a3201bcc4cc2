// Downloads that are kept: in Cache Storage, in parts while they arrive, so that a broken or cancelled one goes on
// where it stopped; checked by SHA-256 before every use.

import { named } from "./catalog.js";
import { bytes as size } from "./format.js";

const STORE = "r3gan-files-1";
const PART = 4 << 20;
const STALL = 30_000; // ms without a byte after which the network counts as gone

/**
 * @param {string | URL} url
 * @param {object} [options]
 * @param {string} [options.name] for messages
 * @param {number | null} [options.bytes] the size, if known
 * @param {string | null} [options.sha256] the checksum, if known; without one a kept file is used as long as the
 *   server's copy looks the same
 * @param {(progress: { loaded: number, total: number | null }) => void} [options.onProgress]
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Blob>}
 */
export async function download(url, { name, bytes = null, sha256 = null, onProgress = () => {}, signal } = {}) {
  const address = new URL(url, document.baseURI);
  address.hash = "";
  const wanted = { address: address.href, name: name ?? address.pathname.split("/").pop() ?? address.host, bytes, sha256 };
  signal?.throwIfAborted();
  const store = await open();

  const kept = await keptFile(store, wanted, signal);
  if (kept) {
    onProgress({ loaded: kept.size, total: kept.size });
    return kept;
  }
  const { file, stamp } = await fetchRest(store, wanted, onProgress, signal);
  await check(file, wanted).catch(async (error) => {
    await dropParts(store, wanted.address);
    throw error;
  });
  await keep(store, wanted, file, stamp);
  return file;
}

/** Bytes that downloads take on this device, parts included. */
export async function keptBytes() {
  const store = await open();
  let sum = 0;
  for (const request of store ? await store.keys() : []) {
    const blob = await (await store.match(request))?.blob();
    sum += blob?.size ?? 0;
  }
  return sum;
}

/** Forgets every download. */
export async function forgetAll() {
  if (globalThis.caches) await caches.delete(STORE);
}

async function open() {
  try {
    return await caches.open(STORE); // not there on plain http, or when storage is switched off
  } catch {
    return null;
  }
}

/** The kept copy, if it is whole and still what the server has. */
async function keptFile(store, wanted, signal) {
  const response = await store?.match(wanted.address);
  if (!response) return null;
  const file = await response.blob();
  const digest = wanted.sha256 ?? response.headers.get("x-sha256");
  const good = (!digest || (await matches(file, digest))) && (wanted.sha256 || (await unchanged(response, wanted, signal)));
  if (good) return file;
  await store.delete(wanted.address);
  return null;
}

/** Without a known checksum: the same length and date as on the server, or a server that cannot be asked. */
async function unchanged(response, wanted, signal) {
  try {
    const head = await fetch(wanted.address, { method: "HEAD", cache: "no-cache", signal });
    return !head.ok || response.headers.get("x-stamp") === stampOf(head);
  } catch {
    signal?.throwIfAborted();
    return true;
  }
}

async function fetchRest(store, wanted, onProgress, signal) {
  let { parts, stamp } = await keptParts(store, wanted.address);
  let loaded = parts.reduce((sum, part) => sum + part.size, 0);
  let response = await request(wanted, loaded, signal);
  if (loaded > 0) {
    // The page may have been closed after the last byte, before the check.
    if (response.status === 416 && totalOf(response) === loaded) return { file: new Blob(parts), stamp };
    const goesOn = response.status === 206 && startOf(response) === loaded && stamp === stampOf(response);
    if (!goesOn) {
      await dropParts(store, wanted.address);
      parts = [];
      loaded = 0;
      if (response.status !== 200) {
        await response.body?.cancel();
        response = await request(wanted, 0, signal);
      }
    }
  }
  if (!response.ok) {
    throw named("NetworkError", `${wanted.name} could not be fetched: the server answered ${response.status}.`);
  }
  stamp = stampOf(response);
  const total = wanted.bytes ?? totalOf(response);
  const report = () => onProgress({ loaded, total: total && loaded <= total ? total : null });
  report();

  const reader = response.body.getReader();
  let pending = [];
  let pendingBytes = 0;
  const flush = async () => {
    if (pendingBytes === 0) return;
    const part = new Blob(pending);
    pending = [];
    pendingBytes = 0;
    await keepPart(store, wanted.address, parts.length, part, stamp);
    parts.push(part);
  };
  try {
    for (;;) {
      const { done, value } = await read(reader, wanted, signal);
      if (done) break;
      pending.push(value);
      pendingBytes += value.byteLength;
      loaded += value.byteLength;
      report();
      if (pendingBytes >= PART) await flush();
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    await flush();
    throw error;
  }
  // The last part is kept too: a page that is closed during the check does not fetch it again.
  await flush();
  return { file: new Blob(parts), stamp };
}

async function request(wanted, from, signal) {
  try {
    // A range is asked for without compression, so its offsets count the bytes that were kept.
    return await fetch(wanted.address, { signal, headers: from > 0 ? { Range: `bytes=${from}-` } : {} });
  } catch {
    signal?.throwIfAborted();
    throw named("NetworkError", `${wanted.name} could not be fetched: ${new URL(wanted.address).host} did not answer, or does not let other pages read it.`);
  }
}

async function read(reader, wanted, signal) {
  let timer;
  let leave;
  const interrupted = new Promise((_, reject) => {
    timer = setTimeout(() => reject(named("NetworkError", `${wanted.name} stopped arriving. What is here is kept; try again to go on.`)), STALL);
    leave = () => reject(signal.reason);
    signal?.addEventListener("abort", leave);
  });
  try {
    return await Promise.race([reader.read(), interrupted]);
  } catch (error) {
    signal?.throwIfAborted();
    if (error.name === "NetworkError") throw error;
    throw named("NetworkError", `The connection broke while ${wanted.name} was on its way. What arrived is kept; try again to go on.`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

async function check(file, { name, bytes, sha256 }) {
  if (bytes && file.size !== bytes) {
    throw named("InputError", `${name} has ${size(file.size)} where the catalog says ${size(bytes)}: the download is damaged, or the site is being updated. Try again.`);
  }
  if (sha256 && !(await matches(file, sha256))) {
    throw named("InputError", `${name} does not have the checksum that the catalog names: the download is damaged, or the site is being updated. Try again.`);
  }
}

/** Where the browser offers no digest (plain http), the length has to do. */
async function matches(file, sha256) {
  const digest = await sha256Of(file);
  return digest === null || digest === sha256.toLowerCase();
}

async function sha256Of(file) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const startOf = (response) => Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? -1);

/** The whole length: nothing is known of it where the answer is compressed on its way. */
function totalOf(response) {
  const range = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (range) return Number(range);
  if (response.headers.get("content-encoding")) return null;
  return Number(response.headers.get("content-length")) || null;
}

/** What tells one version of a file from another and every server lets a page read: its date, or its length. */
const stampOf = (response) => response.headers.get("last-modified") ?? String(totalOf(response) ?? "");

function partAddress(address, index) {
  const part = new URL(address);
  part.searchParams.set("r3gan-part", String(index));
  return part.href;
}

async function keptParts(store, address) {
  const parts = [];
  let stamp = "";
  for (let index = 0; store; index += 1) {
    const response = await store.match(partAddress(address, index));
    if (!response) break;
    stamp = response.headers.get("x-stamp") ?? "";
    parts.push(await response.blob());
  }
  return { parts, stamp };
}

async function keepPart(store, address, index, part, stamp) {
  try {
    await store?.put(partAddress(address, index), new Response(part, { headers: { "x-stamp": stamp } }));
  } catch {
    // A full disk costs the resuming, not the download.
  }
}

async function dropParts(store, address) {
  for (let index = 0; await store?.delete(partAddress(address, index)); index += 1);
}

async function keep(store, wanted, file, stamp) {
  try {
    const headers = { "x-stamp": stamp };
    const digest = wanted.sha256 ?? (await sha256Of(file));
    if (digest) headers["x-sha256"] = digest;
    await store?.put(wanted.address, new Response(file, { headers }));
  } catch {
    // Kept or not, the file is here.
  }
  await dropParts(store, wanted.address);
}
