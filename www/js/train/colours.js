/** The theme's colours, for canvases. */

/** @param {string} token for example "--series-1" */
export function colour(token) {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim();
}

/** `#rrggbb` as three numbers; the tokens are written so. @returns {[number, number, number]} */
export function rgb(hex) {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
