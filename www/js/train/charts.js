/** The curves of a run, with a legend in words and numbers. uPlot draws; it is fetched when the first run begins. */

import { colour } from "./colours.js";
import { make } from "./elements.js";
import { compact, figure, logTicks } from "./figures.js";

const CHARTS = [
  {
    title: "Losses",
    curves: [
      { name: "criticLoss", label: "critic", token: "--series-3" },
      { name: "generatorLoss", label: "generator", token: "--series-1", dash: [7, 4] },
    ],
  },
  {
    title: "Penalties",
    logarithmic: true,
    curves: [
      { name: "r1", label: "R1 (real)", token: "--series-2" },
      { name: "r2", label: "R2 (made)", token: "--series-4", dash: [7, 4] },
    ],
    readout: { name: "gamma", label: "γ" },
  },
  { title: "Logit gap", curves: [{ name: "logitGap", label: "real minus generated", token: "--series-5" }] },
];

const HEIGHT = 190;
const AXIS = 48;
let library = null;

/** uPlot and its style, once. */
export function loadCharts() {
  library ??= import("../../vendor/uplot/uPlot.esm.js").then(
    (module) => {
      const href = new URL("../../vendor/uplot/uPlot.min.css", import.meta.url).href;
      document.head.prepend(make("link", { rel: "stylesheet", href }));
      return module.default;
    },
    (error) => {
      library = null;
      throw error;
    },
  );
  return library;
}

export class Charts {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.history = null;
    this.charts = CHARTS.map((definition) => new Chart(definition));
    place.replaceChildren(...this.charts.map((chart) => chart.element));
    this.resize = new ResizeObserver(() => this.charts.forEach((chart) => chart.fit()));
    this.charts.forEach((chart) => this.resize.observe(chart.plotPlace));
  }

  /** @param {import("./history.js").History} history */
  show(history) {
    this.history = history;
    this.charts.forEach((chart) => chart.show(history));
  }

  /** After a change of the theme: uPlot keeps the colours that it was made with. */
  redraw() {
    this.charts.forEach((chart) => chart.clear());
    if (this.history) this.show(this.history);
  }
}

class Chart {
  constructor(definition) {
    this.definition = definition;
    this.plot = null;
    this.making = false;
    this.described = -Infinity;
    this.values = new Map();
    this.plotPlace = make("div", { className: "plot" });
    this.plotPlace.setAttribute("role", "img");
    this.plotPlace.setAttribute("aria-label", `${definition.title}: nothing yet`);
    const title = make("h2", { textContent: definition.title });
    this.place = make("span", { className: "legend-place number" });
    const head = make("div", { className: "chart-title" }, title, this.#readout(definition.readout), this.place);
    const legend = make("ul", { className: "legend" }, ...definition.curves.map((curve) => this.#legendItem(curve)));
    this.element = make("figure", { className: "card chart" }, make("figcaption", {}, head, legend), this.plotPlace);
  }

  #value(name) {
    const value = make("span", { className: "number", textContent: "–" });
    this.values.set(name, value);
    return value;
  }

  #readout(readout) {
    if (!readout) return "";
    return make("p", { className: "readout" }, `${readout.label} `, this.#value(readout.name));
  }

  #legendItem({ name, label, token, dash }) {
    const swatch = make("span", { className: dash ? "line dashed" : "line" });
    swatch.style.setProperty("--line-colour", `var(${token})`);
    return make("li", {}, swatch, make("span", { textContent: label }), this.#value(name));
  }

  show(history) {
    this.history = history;
    this.#legend(null);
    this.#describe();
    if (this.plot) this.plot.setData(this.#data());
    else if (!this.making && history.length > 1) this.#make();
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
  }

  fit() {
    const width = this.plotPlace.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  async #make() {
    this.making = true;
    try {
      const Plot = await loadCharts();
      this.plot ??= new Plot(this.#options(), this.#data(), this.plotPlace);
      this.fit();
    } catch {
      this.plotPlace.textContent = "The chart library could not be loaded; the numbers above are current.";
    } finally {
      this.making = false;
    }
  }

  /** The numbers at a point under the pointer, or the newest. */
  #legend(index) {
    const { history } = this;
    for (const [name, place] of this.values) {
      const value = index === null ? history.last(name) : history.curve(name)[index];
      place.textContent = value === null || value === undefined ? "–" : figure(value);
    }
    this.place.textContent = index === null ? "" : `at ${compact(history.images[index])} images`;
  }

  /** Words for those who do not see the curves, renewed now and then. */
  #describe() {
    const now = performance.now();
    if (now - this.described < 5000 || this.history.length === 0) return;
    this.described = now;
    const parts = this.definition.curves.map(({ name, label }) => {
      const curve = this.history.curve(name).filter((value) => value !== null);
      if (curve.length === 0) return `${label}: nothing yet`;
      return `${label} from ${figure(curve[0])} to ${figure(curve[curve.length - 1])}`;
    });
    const images = compact(this.history.images[this.history.length - 1]);
    this.plotPlace.setAttribute("aria-label", `${this.definition.title} over ${images} images: ${parts.join(", ")}`);
  }

  #data() {
    const { curves, logarithmic } = this.definition;
    const shown = (value) => (logarithmic && value !== null && value <= 0 ? null : value);
    return [this.history.images, ...curves.map(({ name }) => this.history.curve(name).map(shown))];
  }

  #options() {
    const { curves, logarithmic } = this.definition;
    const axis = {
      stroke: colour("--muted"),
      font: `11px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: colour("--grid-line"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(this.plotPlace.clientWidth, 120),
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "r3gan-train" }, points: { size: 7 } },
      scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
      axes: [
        { ...axis, size: 28, values: (_, ticks) => ticks.map(compact) },
        {
          ...axis,
          ...(logarithmic ? { splits: (_, __, least, most) => logTicks(least, most), filter: (_, splits) => splits } : {}),
          size: AXIS,
          values: (_, ticks) => ticks.map((value) => (value === null ? "" : figure(value))),
        },
      ],
      series: [
        {},
        ...curves.map(({ label, token, dash }) => ({
          label,
          stroke: colour(token),
          width: 1.75,
          dash,
          spanGaps: true,
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [(plot) => this.#legend(plot.cursor.idx ?? null)] },
    };
  }
}
