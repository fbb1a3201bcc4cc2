// Where a model comes from, and what is known of it before it is open.

import { named } from "../shared/catalog.js";
import { download } from "../shared/download.js";

/**
 * @typedef {object} Source
 * @property {string | null} link what `?model=` says; null where no link leads there
 * @property {string} title
 * @property {string} origin
 * @property {string} noun what its pictures are called, in the plural
 * @property {string | null} [licence]
 * @property {string | null} [card]
 * @property {import("../shared/catalog.js").CatalogModel} [entry]
 * @property {number | null} bytes
 * @property {boolean} local
 * @property {(onProgress: (progress: { loaded: number, total: number | null }) => void, signal: AbortSignal) => Promise<Blob>} fetch
 */

/** @returns {Source} */
export function fromCatalog(entry, isFirst) {
  return {
    link: isFirst ? null : entry.id,
    title: entry.title,
    origin: entry.origin,
    noun: entry.title.split(" ").pop().toLowerCase(), // "Cartoon faces" -> "faces"
    licence: entry.licence,
    card: entry.card,
    entry,
    bytes: entry.bytes || null,
    local: false,
    fetch: (onProgress, signal) =>
      download(entry.file, { bytes: entry.bytes || null, sha256: entry.sha256 || null, onProgress, signal }),
  };
}

/** @returns {Source} */
export function fromAddress(text) {
  const address = new URL(text, document.baseURI);
  const file = decodeURIComponent(address.pathname.split("/").pop() || address.host);
  return {
    link: text,
    title: file,
    origin: `Opened from ${address.host}.`,
    noun: "pictures",
    bytes: null,
    local: false,
    fetch: (onProgress, signal) => download(address, { name: file, onProgress, signal }),
  };
}

/** @param {File} file @returns {Source} */
export function fromFile(file) {
  return {
    link: null,
    title: file.name,
    origin: "Opened from your own files; it was not sent anywhere.",
    noun: "pictures",
    bytes: file.size,
    local: true,
    fetch: async () => file,
  };
}

/**
 * What `?model=` stands for.
 * @param {string | null} word
 * @param {import("../shared/catalog.js").CatalogModel[]} models
 */
export function fromLink(word, models) {
  const entry = word ? models.find((model) => model.id === word) : models[0];
  if (entry) return fromCatalog(entry, entry === models[0]);
  if (!word) throw named("InputError", "The catalog of this site has no models. Open a model file of your own.");
  if (!/\/|\.(safetensors|pkl)$/.test(word)) throw named("InputError", `This site has no model called “${word.slice(0, 60)}”. Choose another one.`);
  let address;
  try {
    address = new URL(word, document.baseURI);
  } catch {
    address = null;
  }
  if (!/^https?:$/.test(address?.protocol ?? "")) throw named("InputError", "The model in this link has an address that cannot be fetched. It has to begin with https://.");
  return fromAddress(word);
}
