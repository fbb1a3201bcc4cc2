/** A setting on a logarithmic scale, as a slider and as a number; both show what the trainer uses now. */

import { latest } from "../shared/latest.js";
import { compact, figure } from "./figures.js";

/** The slider's position for a value. */
export function toSlider(value, min, max) {
  if (!(value > 0)) return min;
  return Math.max(min, Math.min(max, Math.log10(value)));
}

/** What a slider's position stands for, with three digits. */
export function fromSlider(position) {
  return Number((10 ** position).toPrecision(3));
}

export class Knob {
  /**
   * @param {object} parts
   * @param {HTMLInputElement} parts.slider in powers of ten
   * @param {HTMLInputElement} parts.number
   * @param {HTMLElement} parts.note
   * @param {number} parts.most
   * @param {(value: number) => Promise<void>} parts.onChange must handle its own errors
   */
  constructor({ slider, number, note, most, onChange }) {
    this.slider = slider;
    this.number = number;
    this.note = note;
    this.most = most;
    /** What a person chose, until the trainer has it. */
    this.asked = null;
    this.change = latest(async (/** @type {number} */ value) => {
      await onChange(value);
      if (this.asked === value) this.asked = null;
    });
    slider.addEventListener("input", () => this.#take(fromSlider(Number(slider.value)), number));
    number.addEventListener("change", () => this.#typed());
  }

  /** The value of the last step; what a person is holding, or has just chosen, stays as it is. */
  show(value) {
    if (this.asked !== null) return;
    const active = document.activeElement;
    if (active !== this.number) this.number.value = figure(value);
    if (active !== this.slider) this.slider.value = String(toSlider(value, Number(this.slider.min), Number(this.slider.max)));
    this.slider.setAttribute("aria-valuetext", figure(value));
  }

  /** @param {{base: number, end: number} | undefined} schedule @param {number} images over which it moves */
  explain(schedule, images) {
    if (!schedule) return;
    const held = schedule.base === schedule.end;
    const from = figure(schedule.base);
    this.note.textContent = held
      ? `Held at ${from}.`
      : `Goes from ${from} to ${figure(schedule.end)} over ${compact(images)} images, until you change it.`;
  }

  #typed() {
    const value = this.number.valueAsNumber;
    const usable = value >= 0 && value <= this.most;
    this.number.setAttribute("aria-invalid", String(!usable));
    if (!usable) {
      this.note.textContent = `Give a number from 0 to ${this.most}.`;
      return;
    }
    this.#take(value, this.slider);
  }

  #take(value, other) {
    this.number.removeAttribute("aria-invalid");
    if (other === this.number) other.value = figure(value);
    else other.value = String(toSlider(value, Number(other.min), Number(other.max)));
    this.slider.setAttribute("aria-valuetext", figure(value));
    this.asked = value;
    this.change(value);
  }
}
