/** A person's own pictures as a data set: a few workers turn each into a small square PNG in memory. */

import { pictureName } from "./naming.js";

/** @typedef {{name: string, bytes: Uint8Array<ArrayBuffer>}} NamedBytes */
/**
 * @typedef {object} Prepared
 * @property {NamedBytes[]} pictures in the order of their paths
 * @property {import("./own-files.js").Refused[]} refused
 * @property {number} enlarged pictures that were smaller than asked for
 */

const workerUrl = new URL("./picture-worker.js", import.meta.url);

/**
 * @param {import("./own-files.js").Found[]} files sorted
 * @param {object} options
 * @param {number} options.side of the square in pixels
 * @param {AbortSignal} [options.signal]
 * @param {(done: {count: number, accepted: number, refused: number}) => void} [options.onProgress]
 * @param {() => Worker} [options.startWorker]
 * @returns {Promise<Prepared>} rejects with an `AbortError` only
 */
export async function preparePictures(files, { side, signal, onProgress, startWorker = openWorker }) {
  const results = new Array(files.length);
  const done = { count: 0, accepted: 0, refused: 0 };
  let next = 0;

  const work = async () => {
    const hand = new Hand(startWorker);
    try {
      while (next < files.length && !signal?.aborted) {
        const index = next++;
        results[index] = await hand.prepare(files[index], side, signal);
        done.count += 1;
        done[results[index].bytes ? "accepted" : "refused"] += 1;
        if (!signal?.aborted) onProgress?.(done);
      }
    } finally {
      hand.stop();
    }
  };
  const hands = Math.max(1, Math.min(4, files.length, Math.floor((globalThis.navigator?.hardwareConcurrency ?? 2) / 2)));
  await Promise.all(Array.from({ length: hands }, work));
  signal?.throwIfAborted();
  return collect(files, results);
}

/** Names go by place in the order, so the same folder gives the same data set again. */
export function collect(files, results) {
  const prepared = { pictures: [], refused: [], enlarged: 0 };
  results.forEach(({ bytes, refused, enlarged }, index) => {
    const { path } = files[index];
    if (!bytes) {
      prepared.refused.push({ path, reason: refused });
      return;
    }
    prepared.pictures.push({ name: pictureName(prepared.pictures.length, path), bytes });
    if (enlarged) prepared.enlarged += 1;
  });
  return prepared;
}

/** One worker, replaced when a picture was too much for it. */
class Hand {
  constructor(startWorker) {
    this.startWorker = startWorker;
    this.worker = null;
  }

  prepare({ path, file }, side, signal) {
    this.worker ??= this.startWorker();
    const worker = this.worker;
    return new Promise((resolve) => {
      const finish = (result) => {
        signal?.removeEventListener("abort", cancel);
        worker.onmessage = worker.onerror = null;
        resolve(result);
      };
      const cancel = () => {
        this.stop();
        finish({ refused: "was cancelled" });
      };
      if (signal?.aborted) return cancel();
      signal?.addEventListener("abort", cancel);
      worker.onmessage = ({ data }) => finish(data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.stop();
        finish({ refused: "was too much for this browser to decode" });
      };
      worker.postMessage({ path, file, side });
    });
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
  }
}

function openWorker() {
  return new Worker(workerUrl, { type: "module" });
}
