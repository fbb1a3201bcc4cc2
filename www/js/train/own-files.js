/**
 * What a person dropped: single pictures, or files that are a data set already. Goes by names only: asking thousands of
 * files for their size would hold the page up.
 */

/** @typedef {{path: string, file: File}} Found `path` is relative to what was dropped. */
/** @typedef {{path: string, reason: string}} Refused */
/**
 * @typedef {object} Given
 * @property {"pictures" | "zip" | "idx" | "cifar" | "nothing"} kind
 * @property {Found[]} files sorted by path
 * @property {Refused[]} refused
 */

export const MOST_PICTURES = 20_000;
/** Fits into the worker beside what the training needs. */
export const MOST_DATASET_BYTES = 512 * 2 ** 20;

const PICTURES = /\.(png|jpe?g|jfif|webp|avif|gif|bmp|heic|heif|tiff?|svg)$/i;
const SYSTEM = /(^|\/)(\.[^/]*|__MACOSX\/.*|thumbs\.db|desktop\.ini)$/i;

/** @param {Found[]} found @returns {Given} */
export function classify(found) {
  const files = found.filter(({ path }) => !SYSTEM.test(path)).sort((a, b) => compare(a.path, b.path));
  const zips = files.filter(({ path }) => /\.zip$/i.test(path));
  const pictures = files.filter(({ path, file }) => PICTURES.test(path) || file.type.startsWith("image/"));
  const idx = files.filter(({ path }) => /(images|labels)[-.]idx[13]-ubyte(\.gz)?$/.test(path));
  const cifar = files.filter(({ path }) => /(^|\/)data_batch_\d+\.bin$/.test(path));

  const images = idx.filter(({ path }) => /idx3-ubyte(\.gz)?$/.test(path));
  if (images.length > 0) return whole("idx", idxSet(images, idx), files, "was left out: one IDX set is used at a time");
  if (cifar.length > 0) return whole("cifar", cifar, files, "was left out: it is not one of the CIFAR-10 batches");
  if (zips.length > 0 && pictures.length === 0) {
    return whole("zip", zips.slice(0, 1), files, "was left out: one zip is used at a time");
  }
  const refused = files
    .filter((entry) => !pictures.includes(entry))
    .map((entry) => ({
      path: entry.path,
      reason: zips.includes(entry) ? "was left out: drop a zip on its own" : "is not a picture",
    }));
  const kept = [];
  for (const entry of pictures) {
    if (kept.length < MOST_PICTURES) kept.push(entry);
    else refused.push({ path: entry.path, reason: `is beyond the first ${MOST_PICTURES.toLocaleString("en")} pictures` });
  }
  return { kind: kept.length > 0 ? "pictures" : "nothing", files: kept, refused };
}

/** The training pictures and their labels, if both halves of a set are there. */
function idxSet(images, all) {
  const base = (path) => path.split("/").pop();
  const chosen = images.find(({ path }) => base(path).startsWith("train")) ?? images[0];
  const prefix = base(chosen.path).split("images")[0];
  const labels = all.filter(({ path }) => /idx1-ubyte(\.gz)?$/.test(path) && base(path).startsWith(prefix));
  return [chosen, ...labels.slice(0, 1)];
}

function whole(kind, chosen, files, reason) {
  const refused = files.filter((entry) => !chosen.includes(entry)).map(({ path }) => ({ path, reason }));
  const size = chosen.reduce((sum, { file }) => sum + file.size, 0);
  if (size <= MOST_DATASET_BYTES) return { kind, files: chosen, refused };
  const megabytes = Math.round(MOST_DATASET_BYTES / 2 ** 20);
  const large = { path: chosen[0].path, reason: `is larger than ${megabytes} MB; train on it with the command line` };
  return { kind: "nothing", files: [], refused: [large, ...refused] };
}

/** The same order on every machine, whatever its language. */
function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}
