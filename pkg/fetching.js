/** Downloads that tell how far they are and what went wrong. */

import { failure } from "./failure.js";

/** Fetches, with a sentence for everything that can go wrong. */
export async function get(address, signal) {
  let response;
  try {
    response = await fetch(address, { signal });
  } catch {
    if (signal?.aborted) throw failure("AbortError", "The download was cancelled.");
    throw failure("NetworkError", `${address} could not be fetched: check the connection and try again.`);
  }
  if (!response.ok) {
    throw failure("NetworkError", `${address} could not be fetched: the server answered ${response.status}.`);
  }
  return response;
}

/** Reads a response and tells its bytes as they come. */
export async function count(response, stage, tell) {
  // Of a compressed body the length says nothing.
  const packed = response.headers.get("content-encoding");
  const total = packed ? null : Number(response.headers.get("content-length")) || null;
  const chunks = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    if (stage === "model") chunks.push(value);
    loaded += value.byteLength;
    tell?.({ stage, loaded, total });
  }
}

/** The bytes at an address, as a file. */
export async function download(address, { onProgress, signal }) {
  const response = await get(address, signal);
  try {
    return new Blob(await count(response, "model", onProgress));
  } catch {
    if (signal?.aborted) throw failure("AbortError", "The download was cancelled.");
    throw failure("NetworkError", `${address} broke off while it was fetched: try again.`);
  }
}
