// Ways to open a model: the catalog, a file, a drop, an address.

/**
 * @param {HTMLElement} section
 * @param {{ onFile(file: File): void, onAddress(address: string): void, onTrouble(text: string): void }} handlers
 */
export function installOpener(section, { onFile, onAddress, onTrouble }) {
  const picker = document.getElementById("model-file");
  document.getElementById("open-model").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    if (picker.files[0]) onFile(picker.files[0]);
    picker.value = ""; // so that the same file can be opened again
  });

  document.getElementById("open-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = document.getElementById("model-url");
    const address = input.value.trim();
    if (!/^https?:\/\/\S+$/.test(address)) {
      onTrouble("An address of a model begins with https://.");
      input.focus();
      return;
    }
    onAddress(address);
  });

  const veil = document.getElementById("drop-veil");
  let depth = 0; // dragenter and dragleave come in pairs, for every element on the way
  const takes = (event) => !section.hidden && event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    depth += 1;
    veil.hidden = false;
  });
  addEventListener("dragover", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("dragleave", (event) => {
    if (!takes(event)) return;
    depth -= 1;
    if (depth <= 0) hide();
  });
  addEventListener("drop", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    hide();
    const { files, items } = event.dataTransfer;
    if (items[0]?.webkitGetAsEntry?.()?.isDirectory) onTrouble("That is a folder. Drop the model file itself, which ends in .safetensors or .pkl.");
    else if (files.length === 1) onFile(files[0]);
    else onTrouble("Drop one model file at a time.");
  });
  function hide() {
    depth = 0;
    veil.hidden = true;
  }
}
