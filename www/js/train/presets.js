/** Which presets fit which data set. */

/** @typedef {{name: string, side: number, batch: number, learningRate: number, gamma: number, parameters: number}} Preset */

/** @typedef {{kind: "points" | "pictures" | "own", side?: number | null}} Content `side` of pictures that stay as they are */

/** What the page offers; the package knows more, too large for a browser. */
export const OFFERED = ["points", "demo-16", "demo-32", "demo-64"];

/**
 * @param {Preset[]} presets
 * @param {Content} content
 * @returns {Preset[]} small ones first
 */
export function fitting(presets, content) {
  const offered = presets.filter((preset) => OFFERED.includes(preset.name));
  const pictures = offered.filter((preset) => preset.name !== "points").sort((a, b) => a.side - b.side);
  if (content.kind === "points") return offered.filter((preset) => preset.name === "points");
  if (content.kind === "own") return pictures;
  // The trainer puts an even black frame around smaller pictures: MNIST's 28 pixels become 32.
  const own = content.side ?? 0;
  return pictures.filter(({ side }) => side >= own && side < 2 * own && (side - own) % 2 === 0);
}

/** The preset to begin with: the smallest one where there is no GPU, else that of the catalog or the middle one. */
export function recommended(choices, { device, preferred }) {
  if (choices.length === 0) return null;
  if (device === "cpu") return choices[0];
  return choices.find(({ name }) => name === preferred) ?? choices.find(({ name }) => name === "demo-32") ?? choices[0];
}
