/** Where the bytes of each data set come from. A source is asked again after a lost device, so it downloads once. */

import { catalog } from "../shared/catalog.js";
import { download } from "../shared/download.js";

export const POINT_SETS = { ring8: "Ring of 8", grid25: "Grid of 25" };
/** How own pictures are called in file names. */
export const OWN_ID = "my-pictures";

/**
 * @typedef {object} CatalogDataset
 * @property {string} id
 * @property {string} title
 * @property {{name: string, url: string, bytes?: number, sha256?: string}[]} files
 * @property {number} side
 * @property {number} items
 * @property {boolean} labels
 * @property {string} preset
 * @property {string} licence
 * @property {string} origin
 */
/** @typedef {(signal?: AbortSignal) => Promise<import("../../pkg/index.js").DatasetSource>} Source */

/** The data sets that the site offers. @returns {Promise<CatalogDataset[]>} */
export async function catalogDatasets() {
  const { datasets } = await catalog();
  return /** @type {any[]} */ (datasets);
}

/** @param {CatalogDataset} set @param {(progress: {loaded: number, total: number | null}) => void} onProgress @returns {Source} */
export function catalogSource(set, onProgress) {
  const all = set.files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) || null;
  return async (signal) => {
    let before = 0;
    const files = [];
    for (const { name, url, bytes, sha256 } of set.files) {
      const tell = ({ loaded }) => onProgress({ loaded: before + loaded, total: all });
      const blob = await download(url, { name, bytes, sha256, signal, onProgress: tell });
      before += blob.size;
      files.push({ name, bytes: new Uint8Array(await blob.arrayBuffer()) });
    }
    return files;
  };
}

/** The source of a saved run. @param {import("./training-run.js").RunPlan["dataset"]} dataset @returns {Promise<Source>} */
export async function savedSource(dataset, files, onProgress) {
  if (dataset.kind === "points") return async () => /** @type {"ring8" | "grid25"} */ (dataset.id);
  if (dataset.kind === "own") {
    if (!files) throw new Error("The saved run lacks its pictures, so it cannot go on.");
    return async () => files;
  }
  const set = (await catalogDatasets()).find(({ id }) => id === dataset.id);
  if (!set) throw new Error(`This site no longer has the data set '${dataset.title}' that the saved run learned from.`);
  return catalogSource(set, onProgress);
}
