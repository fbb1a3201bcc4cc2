/** Names of files that people see, and the command that goes on with them. */

/** A name in the data set for the picture at `path`: its place in the order, then what it was called. */
export function pictureName(index, path) {
  const file = path.split("/").pop() ?? "";
  const stem = slug(file.replace(/\.[^.]*$/, "")).slice(0, 40) || "picture";
  return `${String(index).padStart(5, "0")}-${stem}.png`;
}

/** Lower-case letters, digits and hyphens. */
export function slug(text) {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}

/** What downloads of a run are called. */
export function downloadNames({ dataset, preset, images }) {
  const stem = [dataset, preset].map(slug).filter(Boolean).join("-");
  const count = String(Math.floor(images / 1000)).padStart(6, "0");
  return {
    model: `${stem}-${count}.safetensors`,
    checkpoint: `${stem}-checkpoint-${count}.safetensors`,
  };
}

/** The command that continues a downloaded checkpoint on another machine. */
export function nativeCommand({ data, checkpoint, labels, mirror }) {
  const flags = `${labels ? " --cond" : ""}${mirror ? " --mirror" : ""}`;
  return `r3gan train --data ${quoted(data)} --out run --resume ${quoted(checkpoint)}${flags}`;
}

function quoted(word) {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
