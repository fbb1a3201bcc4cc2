// Notes at the bottom of the page, in a live region: what went wrong, and the way out.

/** @typedef {{ label: string, run: () => void }} Action */

/**
 * @param {string} text
 * @param {{ tone?: "info" | "warn" | "danger", action?: Action, timeout?: number }} [options] timeout in seconds;
 *   notes without one stay until they are closed, and a danger never goes by itself
 * @returns {{ close(): void }}
 */
export function say(text, { tone = "info", action, timeout } = {}) {
  const area = document.getElementById("notes");
  for (const other of area.children) if (other.dataset.text === text) other.remove();

  const note = document.createElement("div");
  note.className = `note ${tone}`;
  note.dataset.text = text;
  note.dataset.testid = "note";
  const words = document.createElement("p");
  words.textContent = text;
  note.append(words);
  if (action) note.append(button(action.label, "button", () => close(action.run)));
  const dismiss = button("", "button icon quiet", () => close());
  dismiss.setAttribute("aria-label", "Close this note");
  dismiss.append(icon("close"));
  note.append(dismiss);
  area.append(note);
  while (area.children.length > 3) area.firstElementChild.remove();

  const timer = timeout && tone !== "danger" ? setTimeout(() => close(), timeout * 1000) : 0;
  function close(then) {
    clearTimeout(timer);
    note.remove();
    then?.();
  }
  return { close };
}

/** @param {string} name of a symbol at the top of the page */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon-svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

function button(label, style, run) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = style;
  element.textContent = label;
  element.addEventListener("click", run);
  return element;
}
