/** What the Train view has to say that must not be missed, with the ways out as buttons. */

import { icon } from "../shared/say.js";
import { make, part } from "./elements.js";

/**
 * @param {string} text
 * @param {{tone?: "info" | "warn" | "danger", actions?: {label: string, run: () => void}[]}} [options]
 */
export function tell(text, { tone = "info", actions = [] } = {}) {
  const place = part("message");
  const words = make("p", { textContent: text });
  const buttons = actions.map(({ label, run }, index) => {
    const button = make("button", { type: "button", className: index === 0 && tone !== "warn" ? "button primary" : "button", textContent: label });
    button.addEventListener("click", () => {
      hush();
      run();
    });
    return button;
  });
  const dismiss = make("button", { type: "button", className: "button icon quiet dismiss" }, icon("close"));
  dismiss.setAttribute("aria-label", "Close this message");
  dismiss.addEventListener("click", hush);
  const box = make("div", { className: `notice ${tone}` }, icon(tone === "info" ? "info" : "warning"), words);
  if (buttons.length > 0) box.append(make("div", { className: "row" }, ...buttons));
  box.append(dismiss);
  place.replaceChildren(box);
  if (tone === "danger") box.scrollIntoView({ block: "nearest" });
}

export function hush() {
  part("message").replaceChildren();
}
