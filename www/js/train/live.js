/** The panel of a run: samples, numbers, transport, knobs, curves. Draws what a `TrainingRun` tells. */

import { bytes, count, duration } from "../shared/format.js";
import { say } from "../shared/say.js";
import { Charts, loadCharts } from "./charts.js";
import { Knob } from "./controls.js";
import { allow, make, onPress, part, relabel } from "./elements.js";
import { figure } from "./figures.js";
import { SURFACE_REACH } from "./looks.js";
import { PointsPlot } from "./points-plot.js";
import { drawGrid, thumbnail } from "./sample-grid.js";

const GRID = { columns: 5, rows: 5 };
const REALS = { columns: 8, rows: 1 };
const WAITING = {
  open: "Getting ready.",
  first: "The first steps take longer: the networks are prepared for this device.",
};

export class Live {
  constructor() {
    /** @type {import("./training-run.js").TrainingRun | null} */
    this.run = null;
    this.canvas = part("samples");
    this.points = new PointsPlot(this.canvas, SURFACE_REACH);
    this.charts = new Charts(part("charts"));
    this.images = document.querySelector('[data-testid="train-images"]');
    this.speed = document.querySelector('[data-testid="train-rate-readout"]');
    this.time = document.querySelector('[data-testid="train-time"]');
    this.memory = document.querySelector('[data-testid="train-memory"]');
    this.steps = ["critic", "generator"].map((player) => [player, document.querySelector(`[data-testid="train-${player}-steps"]`)]);
    this.gamma = this.#knob("gamma", 1e9, (gamma) => ({ gamma }));
    this.rate = this.#knob("rate", 1, (learningRate) => ({ learningRate }));
    onPress(part("pause"), () => this.#toggle());
    onPress(part("step-critic"), () => this.run.single("critic"));
    onPress(part("step-generator"), () => this.run.single("generator"));
    onPress(part("undo"), () => this.run.goBack());
    part("slow").addEventListener("change", () => this.#slow());
    part("delay").addEventListener("input", () => this.#slow());
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    document.addEventListener("themechange", () => {
      this.redraw();
      this.charts.redraw();
    });
  }

  /** @param {import("./training-run.js").TrainingRun} run */
  show(run) {
    this.run = run;
    this.samples = null;
    this.reals = null;
    this.points.setMade(null);
    this.points.surface = null;
    const { dataset } = run.plan;
    const points = dataset.kind === "points";
    part("key").hidden = !points;
    part("coverage").hidden = true;
    part("reals-row").hidden = points;
    this.canvas.parentElement.classList.toggle("plane", points);
    this.noun = points ? "points" : "pictures";
    part("images-label").textContent = points ? "Points seen" : "Images seen";
    part("speed-label").textContent = points ? "Points per second" : "Images per second";
    part("stage").textContent = "";
    this.#slow();
    this.charts.show(run.history);
    loadCharts().catch(() => {});
  }

  /** What the trainer says about itself. @param {import("../../pkg/index.js").TrainerInfo} info */
  info(info) {
    const { plan } = this.run;
    const device = info.device === "cpu" ? "on the CPU" : "on the GPU";
    const size = info.channels === 2 ? "" : `, ${info.width} x ${info.height}`;
    part("summary").replaceChildren(
      make("strong", { textContent: plan.dataset.title }),
      ` ${info.preset}${size}, ${counted(info.items, this.noun)}, batch ${info.batch}, seed ${info.config.seed ?? plan.seed}, ${device}`,
    );
    /** @type {Record<string, any>} */
    const config = info.config;
    this.gamma.explain(config.gamma, config.decay_images);
    this.rate.explain(config.learning_rate, config.decay_images);
    this.gamma.show(this.run.settings.gamma);
    this.rate.show(this.run.settings.learningRate);
    this.batch = info.batch;
    const { before } = this.run.checkpoints;
    part("undo").hidden = !before;
    if (before) part("undo").lastElementChild.textContent = `Back to before the change, at ${counted(before.images, this.noun)}`;
    this.#seen(info.images);
    // It may have gone back.
    this.charts.show(this.run.history);
  }

  state(state) {
    const running = state === "running";
    if (state === "starting") part("stage").textContent = WAITING.open;
    else if (running && !this.run.stats) part("stage").textContent = WAITING.first;
    else this.#arrived();
    relabel(part("pause"), running ? "pause" : "play", running ? "Pause" : "Play");
    const able = running || state === "paused";
    for (const name of ["pause", "step-critic", "step-generator", "undo", "export-checkpoint", "export-dataset", "export-model", "export-model-f32", "open-in-sample"]) {
      allow(part(name), able);
    }
    for (const knob of [this.gamma, this.rate]) knob.slider.disabled = knob.number.disabled = !able;
  }

  /** @param {import("../../pkg/index.js").StepStats} stats */
  stats(stats) {
    this.#arrived();
    this.#seen(stats.images);
    this.speed.textContent = stats.imagesPerSecond >= 10 ? count(stats.imagesPerSecond) : stats.imagesPerSecond.toFixed(1);
    this.time.textContent = duration(Math.max(1, Math.round(this.run.seconds)));
    const { used, wasm } = stats.memory;
    part("memory-label").textContent = used === null ? "Memory" : "GPU memory";
    this.memory.textContent = bytes(used ?? wasm);
    this.gamma.show(stats.gamma);
    this.rate.show(stats.learningRate);
    if (!this.run.hidden()) this.charts.show(this.run.history);
  }

  #arrived() {
    if (Object.values(WAITING).includes(part("stage").textContent)) part("stage").textContent = "";
  }

  /** The call that is under way has to end first. */
  #toggle() {
    if (!this.run.playing) return this.run.play();
    relabel(part("pause"), "pause", "Pausing");
    allow(part("pause"), false);
    return this.run.pause();
  }

  #seen(images) {
    this.images.textContent = count(images);
    for (const [player, place] of this.steps) place.textContent = counted(this.run.steps[player], "steps");
  }

  look({ samples, surface }) {
    this.samples = samples;
    if (samples.values) this.points.setMade(samples.values);
    if (surface) this.points.setSurface(surface);
    this.redraw();
    const { coverage } = samples;
    const place = part("coverage");
    place.hidden = !coverage;
    if (coverage) {
      place.textContent = `${coverage.covered} of ${coverage.modes} modes covered`;
      place.classList.toggle("complete", coverage.covered === coverage.modes);
    }
    const after = `after ${count(this.run.images)} ${this.noun}`;
    part("caption").textContent = coverage ? `${Math.round(coverage.goodShare * 100)} % of the samples lie at a mode` : `The same ${GRID.columns * GRID.rows} latents, ${after}`;
    const words = coverage ? `${samples.count} generated points ${after}, ${place.textContent}` : `${samples.count} generated ${this.noun} ${after}`;
    this.canvas.setAttribute("aria-label", words);
  }

  showReals(reals) {
    this.reals = reals;
    if (reals.values) this.points.setReal(reals.values);
    part("reals").setAttribute("aria-label", `${reals.count} pictures from the data set`);
    this.redraw();
  }

  redraw() {
    if (!this.samples || this.canvas.clientWidth === 0) return;
    if (this.run.plan.dataset.kind === "points") this.points.draw();
    else {
      drawGrid(this.canvas, this.samples, GRID);
      if (this.reals) drawGrid(part("reals"), this.reals, REALS);
    }
  }

  picture() {
    return thumbnail(this.canvas);
  }

  /** @param {null | "critic" | "generator"} stage */
  stage(stage) {
    for (const player of document.querySelectorAll(".player")) player.classList.toggle("learning", player.dataset.player === stage);
    const things = `${count(this.batch)} real and ${count(this.batch)} generated ${this.noun}`;
    const words = {
      critic: `The critic learns: it sees ${things} and pulls its answers apart.`,
      generator: `The generator learns: it moves its ${this.noun} to where the critic says real.`,
    };
    if (stage) part("stage").textContent = words[stage];
    else if (!this.run.playing) part("stage").textContent = part("stage").textContent.replace(/^The (critic|generator) learns: .*/, "The $1 has learned from one step.");
  }

  /** @param {import("./saver.js").SaveStatus} status */
  saved({ state, time, reason }) {
    const at = time && new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const words = {
      off: `Autosave is off. ${reason ?? ""}`,
      waiting: "Autosave is on",
      saved: `Autosaved at ${at}`,
      failed: `${reason}. Training goes on; save the checkpoint to keep it.${at ? ` The last autosave is from ${at}.` : ""}`,
    };
    // The line changes every minute, so it is not announced; this is.
    if (state === "failed" && this.saveState !== "failed") say(`${reason}. Training goes on.`, { tone: "warn" });
    this.saveState = state;
    const place = part("autosave");
    if (place.textContent !== words[state]) place.textContent = words[state];
    place.classList.toggle("warn", state === "failed" || state === "off");
  }

  #knob(name, most, setting) {
    const parts = { slider: part(`${name}-slider`), number: part(name), note: part(`${name}-note`), most };
    return new Knob({ ...parts, onChange: (value) => this.run.set(setting(value)).catch((error) => (parts.note.textContent = error.message)) });
  }

  #slow() {
    const on = part("slow").checked;
    part("delay-field").hidden = !on;
    const seconds = Number(part("delay").value);
    part("delay-value").textContent = `${figure(seconds)} s`;
    this.run?.setSlow(on ? seconds * 1000 : 0);
    if (!on) part("stage").textContent = "";
  }
}

function counted(number, nouns) {
  return `${count(number)} ${number === 1 ? nouns.slice(0, -1) : nouns}`;
}
