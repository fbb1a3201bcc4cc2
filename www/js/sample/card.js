// A model card: the little Markdown that cards are written in (headings, paragraphs, lists, tables, code), as elements
// and never as HTML from the file.

/**
 * @param {HTMLElement} into
 * @param {string} text
 */
export function renderCard(into, text) {
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, ""); // the front matter is for machines
  into.replaceChildren(...blocks(body).map(element).filter(Boolean));
}

/** Runs of lines of one kind. */
function blocks(text) {
  const found = [];
  let fenced = false;
  for (const line of text.split("\n")) {
    const fence = line.startsWith("```");
    if (fence) fenced = !fenced;
    const kind = fence ? "fence" : fenced ? "code" : kindOf(line);
    const last = found[found.length - 1];
    if (kind === "fence") found.push({ kind: "blank", lines: [] });
    else if (last?.kind === kind && kind !== "heading") last.lines.push(line);
    else if (kind === "text" && last?.kind === "list") last.lines[last.lines.length - 1] += ` ${line.trim()}`;
    else found.push({ kind, lines: [line] });
  }
  return found;
}

function kindOf(line) {
  if (!line.trim()) return "blank";
  if (/^#{1,6} /.test(line)) return "heading";
  if (/^\s*[-*] /.test(line)) return "list";
  if (/^\s*\|/.test(line)) return "table";
  return "text";
}

function element({ kind, lines }) {
  if (kind === "heading") {
    const level = Math.min(4, 2 + /^#+/.exec(lines[0])[0].length); // the dialog's own title is the second level
    return filled(`h${level}`, lines[0].replace(/^#+ /, ""));
  }
  if (kind === "text") return filled("p", lines.join(" "));
  if (kind === "list") return parent("ul", lines.map((line) => filled("li", line.replace(/^\s*[-*] /, ""))));
  if (kind === "code") {
    const code = document.createElement("pre");
    code.textContent = lines.join("\n");
    code.tabIndex = 0; // a long line scrolls, by keyboard too
    return code;
  }
  if (kind === "table") return table(lines);
  return null;
}

function table(lines) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const ruled = /^[\s|:-]+$/.test(lines[1] ?? "");
  const rows = lines.filter((_, index) => !(ruled && index === 1));
  return parent(
    "table",
    rows
      .filter((line) => cells(line).some(Boolean)) // Markdown wants a head even where there is nothing to say
      .map((line) => parent("tr", cells(line).map((cell) => filled(ruled && line === lines[0] && cell ? "th" : "td", cell)))),
  );
}

function parent(name, children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

/** Text with `code`, **strong** and [links](https://…). */
function filled(name, text) {
  const made = document.createElement(name);
  for (const part of text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/)) {
    const link = /^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(part);
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = link[2];
      anchor.textContent = link[1];
      made.append(anchor);
    } else if (/^`.+`$/.test(part)) made.append(leaf("code", part.slice(1, -1)));
    else if (/^\*\*.+\*\*$/.test(part)) made.append(leaf("strong", part.slice(2, -2)));
    else made.append(part);
  }
  return made;
}

function leaf(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
