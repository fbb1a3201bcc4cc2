/** The run that was autosaved: what it is, going on with it, keeping its checkpoint, letting it go. */

import { count, duration } from "../shared/format.js";
import { save } from "../shared/picture.js";
import { part } from "./elements.js";
import { hush, tell } from "./message.js";
import { downloadNames } from "./naming.js";
import { otherTabTrains } from "./tab-lock.js";

export class SavedCard {
  /** @param {(saved: Awaited<ReturnType<import("./autosave.js").Autosave["load"]>>) => void} onContinue */
  constructor(onContinue) {
    this.autosave = null;
    part("continue").addEventListener("click", () => this.#load(onContinue));
    part("saved-download").addEventListener("click", () => this.#load(({ checkpoint, description: { plan, images } }) => {
      const { checkpoint: name } = downloadNames({ dataset: plan.dataset.id, preset: plan.preset, images });
      save(new Blob([checkpoint], { type: "application/octet-stream" }), name);
    }));
    part("discard").addEventListener("click", () => this.#ask());
  }

  /** @param {import("./autosave.js").Autosave | null} autosave */
  async show(autosave) {
    this.autosave = autosave;
    part("saved").hidden = true;
    if (!autosave) return;
    if (await otherTabTrains()) {
      tell("Another tab of this page is training. Its run is autosaved there; a run in this tab would not be.");
      return;
    }
    let description;
    try {
      description = await autosave.describe();
      if (description) this.#describe(description);
    } catch (error) {
      this.#damaged(error);
      return;
    }
    part("saved").hidden = !description;
  }

  hide() {
    part("saved").hidden = true;
  }

  #describe({ plan, images, seconds, savedAt, picture, coverage }) {
    const noun = plan.dataset.kind === "points" ? "points" : "images";
    const when = new Date(savedAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const modes = coverage ? `, ${coverage.covered} of ${coverage.modes} modes` : "";
    const time = seconds >= 1 ? ` in ${duration(Math.round(seconds))}` : "";
    part("saved-summary").textContent = `${plan.dataset.title} with ${plan.preset}: ${count(images)} ${noun} seen${time}${modes}. Saved ${when}.`;
    const image = part("saved-picture");
    image.hidden = !picture?.startsWith("data:image/");
    if (!image.hidden) {
      image.src = picture;
      image.alt = "What its generator made last";
    }
  }

  async #load(then) {
    try {
      then(await this.autosave.load());
    } catch (error) {
      this.#damaged(error);
    }
  }

  #damaged(error) {
    tell(`The autosaved run cannot be read (${error.message}).`, {
      tone: "warn",
      actions: [{ label: "Discard it", run: () => this.#discard() }],
    });
  }

  #ask() {
    tell("Discard the autosaved run? It cannot be brought back.", {
      tone: "warn",
      actions: [
        { label: "Discard it", run: () => this.#discard() },
        { label: "Keep it", run: () => part("discard").focus() },
      ],
    });
    part("message").querySelector(".row .button:last-child").focus();
  }

  async #discard() {
    hush();
    await this.autosave.discard().catch(() => {});
    this.hide();
    part("title").focus();
  }
}
