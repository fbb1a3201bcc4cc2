/** What a run shows of itself: real samples once, generated ones and the critic's opinion again and again. */

const PICTURES = 25;
const REAL_PICTURES = 8;
const REAL_POINTS = 1000;
/** The critic's surface: this many points a side, from -1 to 1. */
const SURFACE_SIDE = 56;
export const SURFACE_REACH = 1;
/** It costs as much as the samples, so at full speed it is not drawn at every look. */
const LOOKS_PER_SURFACE = 3;

export class Looks {
  /** @param {import("../../pkg/index.js").Trainer} trainer @param {import("./training-run.js").RunPlan} plan */
  constructor(trainer, plan) {
    this.trainer = trainer;
    this.points = plan.dataset.kind === "points";
    this.surfaces = this.points && !plan.labels;
    this.count = 0;
  }

  reals() {
    return this.trainer.reals(this.points ? REAL_POINTS : REAL_PICTURES);
  }

  /** @param {boolean} careful with everything, every time */
  async look(careful) {
    const samples = await this.trainer.samples(PICTURES);
    const due = careful || this.count++ % LOOKS_PER_SURFACE === 0;
    const surface = this.surfaces && due ? await this.trainer.criticSurface(SURFACE_SIDE, SURFACE_REACH) : null;
    return { samples, surface };
  }
}
