/** Files out of a run, and the command that goes on with them elsewhere. */

import { save } from "../shared/picture.js";
import { say } from "../shared/say.js";
import { allow, onPress, part } from "./elements.js";
import { downloadNames, nativeCommand } from "./naming.js";

export class Exports {
  constructor() {
    /** @type {import("./training-run.js").TrainingRun | null} */
    this.run = null;
    this.#press("export-model", (run, names) => this.#save(run.exportModel("f16"), names.model));
    this.#press("export-model-f32", (run, names) => this.#save(run.exportModel("f32"), names.model));
    this.#press("export-checkpoint", (run, names) => this.#save(run.checkpoint(), names.checkpoint));
    this.#press("export-dataset", (run) => this.#saveDataset(run));
    this.#press("open-in-sample", (run, names) => this.#openInSample(run, names.model));
    part("copy-command").addEventListener("click", () => this.#copy());
  }

  show(run) {
    this.run = run;
    const points = run.plan.dataset.kind === "points";
    part("export-dataset").hidden = points;
    // The Sample view shows pictures.
    part("open-in-sample").hidden = points;
    this.showCommand();
  }

  /** It names the checkpoint as it would be saved now. */
  showCommand() {
    const { dataset, labels, mirror } = this.run.plan;
    const { checkpoint } = this.#names();
    const command = nativeCommand({ data: dataset.data, checkpoint, labels, mirror });
    if (part("command").textContent !== command) part("command").textContent = command;
  }

  #names() {
    const { plan, images } = this.run;
    return downloadNames({ dataset: plan.dataset.id, preset: plan.preset, images });
  }

  #press(name, act) {
    const button = part(name);
    onPress(button, async () => {
      const { run } = this;
      allow(button, false);
      try {
        await act(run, this.#names());
      } catch (error) {
        say(error.message, { tone: "danger" });
      } finally {
        allow(button, run.live);
      }
    });
  }

  async #save(bytes, name) {
    const content = await bytes;
    if (!content) return;
    save(new Blob([content], { type: "application/octet-stream" }), name);
    this.showCommand();
    say(`Saved as ${name}.`, { timeout: 5 });
  }

  async #saveDataset(run) {
    const zip = await run.dataset();
    if (zip) return this.#save(zip, run.plan.dataset.data);
    // Not pictures but a binary set: its files as they came.
    for (const { name, bytes } of await run.source()) save(new Blob([bytes]), name);
  }

  async #openInSample(run, name) {
    const bytes = await run.exportModel("f16");
    if (bytes) document.dispatchEvent(new CustomEvent("r3gan:open-model", { detail: { bytes, name } }));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(part("command").textContent);
      say("The command is copied.", { timeout: 4 });
    } catch {
      getSelection().selectAllChildren(part("command"));
      say("The command is selected; copy it from there.", { timeout: 6 });
    }
  }
}
