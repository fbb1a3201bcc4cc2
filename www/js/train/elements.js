/** Small help with the document. */

import { icon } from "../shared/say.js";

/** An element of the Train view by the part of its id after `train-`. */
export function part(name) {
  const element = document.getElementById(`train-${name}`);
  if (!element) throw new Error(`the page has no element train-${name}`);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Reachable, and able to say why it does not work now. */
export function allow(button, allowed) {
  if (allowed) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}

/** Runs `act` on clicks, unless the button is not allowed now. */
export function onPress(button, act) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") act();
  });
}

/** Changes a button's icon and words. */
export function relabel(button, name, words) {
  button.querySelector("svg").replaceWith(icon(name));
  button.querySelector("span").textContent = words;
}
