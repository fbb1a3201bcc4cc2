// The list of models and data sets that the site offers.

/**
 * @typedef {object} CatalogModel
 * @property {string} id
 * @property {string} title
 * @property {string} file an absolute address, as are poster and card
 * @property {number} bytes
 * @property {string} sha256
 * @property {number} side
 * @property {number} classes
 * @property {string[]} classNames
 * @property {string | null} poster
 * @property {number[]} posterSeeds
 * @property {number} posterColumns
 * @property {string | null} card
 * @property {string} licence
 * @property {string} origin
 */

/** @type {Promise<{ models: CatalogModel[], datasets: object[] }> | null} */
let asked = null;

/** Reads `catalog.json` once; a failure is not remembered, so a retry asks again. */
export function catalog() {
  asked ??= read().catch((error) => {
    asked = null;
    throw error;
  });
  return asked;
}

async function read() {
  const address = new URL("catalog.json", document.baseURI);
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw named("NetworkError", "The list of models could not be fetched: the network did not answer.");
  }
  if (!response.ok) {
    throw named("NetworkError", `The list of models could not be fetched: the server answered ${response.status} for catalog.json.`);
  }
  let parsed;
  try {
    parsed = await response.json();
  } catch {
    throw named("InputError", "catalog.json is not JSON, so the page does not know its models.");
  }
  const absolute = (path) => (path ? new URL(path, address).href : null);
  return {
    models: (parsed.models ?? []).map((model) => ({
      classes: 0,
      classNames: [],
      posterSeeds: [],
      posterColumns: 6,
      ...model,
      file: absolute(model.file),
      poster: absolute(model.poster),
      card: absolute(model.card),
    })),
    datasets: (parsed.datasets ?? []).map((set) => ({
      ...set,
      card: absolute(set.card),
      files: (set.files ?? []).map((file) => ({ ...file, url: absolute(file.url) })),
    })),
  };
}

/** An `Error` with the name that the package would give it. */
export function named(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}
