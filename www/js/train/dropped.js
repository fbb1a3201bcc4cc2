/** Files out of a drop or a file input, folders included, with their relative paths. */

const MOST_FILES = 100_000;

/** @param {DataTransfer} transfer Must be read before the event handler returns. */
export function droppedFiles(transfer) {
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter(Boolean);
  return collect(entries);
}

/** @param {HTMLInputElement} input */
export function chosenFiles(input) {
  return [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function collect(entries) {
  const found = [];
  // A list of what is left to read, not recursion: folders may be deep.
  const waiting = entries.reverse();
  while (waiting.length > 0 && found.length < MOST_FILES) {
    const entry = waiting.pop();
    if (entry instanceof File) {
      found.push({ path: entry.name, file: entry });
    } else if (entry.isFile) {
      const file = await asFile(entry);
      if (file) found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    } else {
      waiting.push(...(await children(entry)));
    }
  }
  return found;
}

/** A file that cannot be opened becomes an empty one, which is refused by name later. */
function asFile(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(new File([], entry.name))));
}

async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    // Browsers hand out a hundred at a time.
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
