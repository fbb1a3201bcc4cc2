// What is looked at: the words of the link, and what follows from them for the model that is open.

import { readLink } from "./link.js";
import { formatSeeds, listSeeds } from "./seeds.js";

export class View {
  /** @type {string | null} */
  model;
  /** @type {import("./seeds.js").Seeds} */
  seeds;
  /** @type {number | null} */
  class;
  /** @type {number | null} */
  face;
  /** @type {number} */
  count;
  /** Of the open model. */
  classes = 0;
  /** @type {string[]} */
  classNames = [];

  constructor(link = readLink()) {
    Object.assign(this, link);
  }

  /** Takes another link; tells whether other pictures are to be drawn. */
  follow(link) {
    const words = (view) => [formatSeeds(view.seeds), view.class, view.count, view.face].join("|");
    const changed = words(link) !== words(this);
    Object.assign(this, link);
    return changed;
  }

  /** Seeds of the grid. */
  get list() {
    return listSeeds(this.seeds, this.count);
  }

  /** Classes of the grid, one for each seed; undefined without classes. */
  get labels() {
    return this.classes ? this.list.map((_, index) => this.classOf(index)) : undefined;
  }

  /** The class that is chosen, or each in turn. */
  classOf(index) {
    if (!this.classes) return undefined;
    return this.class !== null && this.class < this.classes ? this.class : index % this.classes;
  }

  className(number) {
    return this.classNames[number] ?? `class ${number}`;
  }

  /** "Seed 12, seven" */
  title(index) {
    const label = this.classOf(index);
    return `Seed ${this.list[index]}${label === undefined ? "" : `, ${this.className(label)}`}`;
  }

  /** Which one of the grid is chosen. */
  get index() {
    return Math.max(0, this.list.indexOf(this.face ?? this.list[0]));
  }

  set index(index) {
    this.face = index === 0 ? null : this.list[index];
  }

  get seed() {
    return this.list[this.index];
  }
}
