// Every view is a link: ?model=&seed=&class=&face=&count=. What the page does not know stays in the address.

import { SIZES, formatSeeds, parseSeeds } from "./seeds.js";

/**
 * @typedef {object} View
 * @property {string | null} model a catalog id or an address; null for the first of the catalog, or for a local file
 * @property {import("./seeds.js").Seeds} seeds
 * @property {number | null} class null for each in turn
 * @property {number | null} face the seed that is chosen; null for the first
 * @property {number} count
 */

/** @returns {View} */
export function readLink(search = location.search) {
  const words = new URLSearchParams(search);
  const number = (name) => (/^\d{1,10}$/.test(words.get(name) ?? "") ? Number(words.get(name)) : null);
  const count = number("count");
  return {
    model: words.get("model"),
    seeds: parseSeeds(words.get("seed")) ?? { start: 1 },
    class: number("class"),
    face: number("face"),
    count: SIZES.includes(count) ? count : 24,
  };
}

/** The address of a view, from the page's present one. */
export function linkTo(view, { share = false } = {}) {
  const address = new URL(location.href);
  const words = address.searchParams;
  const put = (name, value) => (value === null ? words.delete(name) : words.set(name, String(value)));
  put("model", view.model);
  put("seed", formatSeeds(view.seeds));
  put("class", view.class);
  put("face", view.face);
  put("count", view.count === 24 ? null : view.count);
  if (share) words.delete("device"); // the other one's device is theirs
  address.hash = "sample";
  // Commas and the address of a model are legible as they are.
  address.search = words.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return address.href;
}

/** Puts a view into the address bar; `push` makes a step that the Back button undoes. */
export function writeLink(view, { push = false } = {}) {
  const address = linkTo(view);
  if (address === location.href) return;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}
