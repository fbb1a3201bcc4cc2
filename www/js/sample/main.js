// The Sample view: what is open, which pictures are shown, and the controls that change it.

import { preload } from "../../pkg/index.js";
import { showDevice } from "../shared/badge.js";
import { catalog } from "../shared/catalog.js";
import { capabilitiesOnce, deviceOption } from "../shared/device.js";
import { count as counted, duration } from "../shared/format.js";
import { canvasBlob, save } from "../shared/picture.js";
import { say } from "../shared/say.js";
import { installCard, showFacts } from "./facts.js";
import { Gallery } from "./gallery.js";
import { linkTo, readLink, writeLink } from "./link.js";
import { Mix } from "./mix.js";
import { installOpener } from "./opener.js";
import { Portrait } from "./portrait.js";
import { Progress } from "./progress.js";
import { largeScale, saveScale } from "./saving.js";
import { formatSeeds, listSeeds, parseSeeds, randomSeed } from "./seeds.js";
import { Session } from "./session.js";
import { fromAddress, fromCatalog, fromFile, fromLink } from "./source.js";
import { View } from "./view.js";
import { WalkControls } from "./walk-controls.js";

const POINTS = 2000;
const NEED_MODEL = ["download-png", "download-grid", "walk-play", "mix-save"];

const by = (id) => document.getElementById(id);

/** @param {HTMLElement} section */
export async function install(section) {
  const page = new SamplePage(section);
  page.start();
  return { hide: () => page.pause(), open: (file) => page.open(fromFile(file)) };
}

class SamplePage {
  view = new View();
  /** @type {Session | null} */
  session = null;
  /** @type {import("./source.js").Source | null} */
  source = null;
  /** @type {import("../shared/catalog.js").CatalogModel[]} */
  models = [];
  #opening = null;
  /** What is said about the last model that did not open. */
  #note = null;
  #progress = new Progress();
  #portrait = new Portrait();
  #gallery = new Gallery((index) => this.#choose(index));
  #walk = new WalkControls(this.#portrait, (error) => this.#trouble(error));
  #mix = new Mix(() => this.view.seed, (error) => this.#trouble(error));

  constructor(section) {
    this.section = section;
    this.#controls();
    this.#prepare();
  }

  async start() {
    try {
      this.models = (await catalog()).models;
      this.#modelList();
      await this.open(fromLink(this.view.model, this.models));
    } catch (error) {
      this.#failed(error, () => this.start());
    }
  }

  pause() {
    this.#walk.pause();
  }

  /**
   * Opens another model. The one before stays until the new one is there.
   * @param {import("./source.js").Source} source
   */
  async open(source) {
    this.#opening?.abort();
    const abort = new AbortController();
    this.#opening = abort;
    this.pause();
    this.#note?.close();
    document.body.dataset.state = "loading";
    if (!this.session) this.#poster(source);
    this.#modelList(source);
    this.#progress.begin(source, () => abort.abort());
    try {
      const [file] = await Promise.all([
        source.fetch((progress) => this.#progress.part("model", progress), abort.signal),
        preload({ onProgress: (progress) => this.#progress.part("wasm", progress) }),
      ]);
      abort.signal.throwIfAborted();
      this.#progress.starting(deviceOption());
      const session = await Session.open(file, {
        device: deviceOption(),
        signal: abort.signal,
        onReplaced: (why, info) => this.#replaced(why, info),
      });
      if (abort.signal.aborted) session.dispose();
      abort.signal.throwIfAborted();
      this.session?.dispose();
      this.session = session;
      this.#adopt(source);
      await this.refresh();
    } catch (error) {
      if (abort !== this.#opening) return; // something else was opened meanwhile
      if (this.session) this.#keepOld(source, error);
      else this.#failed(error, () => this.open(source));
    }
  }

  /** Draws what the view says. */
  async refresh() {
    const { session, view } = this;
    this.#prepare();
    if (!session) return;
    try {
      const time = this.#ofPoints ? await this.#drawPoints() : await this.#drawPictures();
      if (time === null) return; // a newer view took over
      if (!this.#progress.fetching) await this.#finished(this.#ofPoints ? POINTS : view.list.length, time);
      if (!this.#ofPoints) this.#mix.use(session, view.classOf(view.index));
    } catch (error) {
      if (error.name === "AbortError" || session !== this.session) return;
      this.#failed(error, () => this.open(this.source));
    }
  }

  // What is shown.

  get #ofPoints() {
    return this.session?.info.channels === 2;
  }

  #drawPictures() {
    const { list, labels } = this.view;
    return this.#gallery.fill(this.session, list, labels, (done) => {
      this.#portraitOf(this.view.index);
      if (this.#progress.fetching) return; // another model is on its way, and that is what is told
      document.body.dataset.state = "live";
      this.#progress.drawn(done, list.length);
    });
  }

  async #drawPoints() {
    const label = this.view.classes ? (this.view.class ?? 0) : undefined;
    const time = await this.#gallery.fillPoints(this.session, listSeeds(this.view.seeds, POINTS), label);
    if (time !== null && !this.#progress.fetching) document.body.dataset.state = "live";
    return time;
  }

  /** Room and names for the pictures, before there are any. */
  #prepare() {
    const { view } = this;
    const info = this.session?.info;
    by("seed-input").value = formatSeeds(view.seeds);
    document.querySelector(`input[name="grid-size"][value="${view.count}"]`).checked = true;
    by("class-select").value = view.class === null ? "" : String(view.class);
    this.section.classList.toggle("of-points", this.#ofPoints);
    if (!this.#ofPoints) {
      this.#gallery.prepare(view.list.map((_, index) => view.title(index)), info ? [info.width, info.height] : [1, 1]);
      this.#gallery.choose(view.index, { silent: true });
    }
    this.#portrait.name(view.title(view.index));
    this.#mix.chosenChanged();
  }

  /**
   * The poster stands in for live pictures only where they will be the same.
   *
   * @param {import("./source.js").Source} source
   */
  #poster({ entry }) {
    const { list } = this.view;
    const same = entry?.poster && this.view.class === null && String(list) === String(entry.posterSeeds);
    const columns = entry?.posterColumns ?? 6;
    this.#gallery.poster(same ? entry.poster : null, columns, Math.ceil(list.length / columns));
    if (same) this.#portraitOf(this.view.index);
  }

  async #portraitOf(index) {
    if (this.#walk.playing) return;
    this.#portrait.name(this.view.title(index));
    const picture = this.#gallery.picture(index) ?? (await this.#gallery.posterPicture(index));
    if (!picture || index !== this.view.index || this.#walk.playing) return;
    this.#portrait.show(this.#gallery.picture(index) ?? picture);
  }

  #choose(index) {
    this.pause();
    this.view.index = index;
    this.#portraitOf(index);
    this.#mix.chosenChanged();
    if (this.session) this.#mix.use(this.session, this.view.classOf(index));
    this.#link();
  }

  #adopt(source) {
    const { info } = this.session;
    const { view } = this;
    this.source = source;
    this.#mix.use(null);
    view.model = source.link;
    view.classes = info.classes;
    view.classNames = source.entry?.classNames ?? [];
    if (view.class !== null && view.class >= info.classes) view.class = null;
    this.#modelList();
    this.#classList();
    by("new-faces").querySelector("span").textContent = `New ${this.#ofPoints ? "points" : source.noun}`;
    by("save-native").textContent = `${info.width} px`;
    by("save-large").textContent = `${info.width * largeScale(info.width)} px`;
    by("copy-link").setAttribute("aria-disabled", String(source.local));
    by("copy-link").title = source.local ? "This model is a file of yours: a link cannot lead to it." : "";
    for (const id of NEED_MODEL) {
      by(id).removeAttribute("aria-disabled");
      by(id).removeAttribute("aria-describedby");
    }
    this.#mix.anchors([...view.list, randomSeed(), randomSeed(), randomSeed()].slice(0, 4));
    this.#showDevice(info);
    this.#link();
    navigator.serviceWorker?.ready.then(() => keepForOffline(source), () => {});
  }

  #showDevice(info) {
    showFacts(info, this.source).catch(console.warn);
    capabilitiesOnce().then((able) => showDevice(info.device, able));
  }

  async #finished(number, time) {
    const able = await capabilitiesOnce();
    const { info } = this.session;
    const where = info.device === "cpu" ? "your CPU" : able.adapter?.software ? "a GPU in software" : "your GPU";
    const what = `${counted(number)} ${this.#ofPoints ? "points" : this.source.noun}`;
    const why = info.device === "cpu" && able.device === "cpu" && deviceOption() === "auto" ? ` ${able.reason}` : "";
    this.#progress.done(`${what}, drawn on ${where} in ${duration(time / 1000)}.${why}`);
    const { seeds } = this.view;
    this.#gallery.describe(`${what} from seeds ${formatSeeds(seeds)}${"start" in seeds ? " on" : ""}`);
  }

  #link(push = false) {
    if (!this.section.hidden) writeLink(this.view, { push });
  }

  // What the visitor does.

  #controls() {
    installOpener(this.section, {
      onFile: (file) => this.open(fromFile(file)),
      onAddress: (address) => this.open(fromAddress(address)),
      onTrouble: (text) => say(text, { tone: "warn", timeout: 8 }),
    });
    installCard();
    by("toolbar").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#seedsFromInput();
    });
    by("new-faces").addEventListener("click", () => this.#go({ seeds: { start: randomSeed() }, face: null }));
    by("seed-input").addEventListener("change", () => this.#seedsFromInput());
    by("class-select").addEventListener("change", ({ target }) => this.#go({ class: target.value === "" ? null : Number(target.value) }));
    by("model-select").addEventListener("change", ({ target }) => {
      const entry = this.models.find((model) => model.id === target.value);
      if (entry) this.open(fromCatalog(entry, entry === this.models[0]));
    });
    for (const input of document.querySelectorAll('input[name="grid-size"]')) {
      input.addEventListener("change", () => this.#go({ count: Number(input.value), seeds: { start: this.view.list[0] } }));
    }
    this.#ready("walk-play", () => (this.#walk.playing ? this.pause() : this.#walk.play(this.session, this.view)));
    this.#ready("download-png", () => this.#portrait.save(this.#fileName(by("portrait-title").textContent)));
    this.#ready("download-grid", () => this.#saveGrid());
    by("copy-link").addEventListener("click", () => this.#copyLink());
    addEventListener("popstate", () => this.#wentBack());
  }

  /** A control that needs a model says so until there is one. */
  #ready(id, run) {
    by(id).addEventListener("click", async () => {
      if (!this.session) return say(`${by("not-ready").textContent} ${by("status").textContent}`, { timeout: 6 });
      try {
        await run();
      } catch (error) {
        this.#trouble(error);
      }
    });
  }

  #go(change) {
    Object.assign(this.view, change);
    this.pause();
    this.#link(true);
    return this.refresh();
  }

  #seedsFromInput() {
    const input = by("seed-input");
    const seeds = parseSeeds(input.value);
    input.setAttribute("aria-invalid", String(!seeds));
    by("seed-hint").classList.toggle("wrong", !seeds);
    if (!seeds || formatSeeds(seeds) === formatSeeds(this.view.seeds)) return;
    this.#go({ seeds, face: null });
  }

  async #saveGrid() {
    const scale = saveScale() === 1 ? 1 : Math.ceil(largeScale(this.session.info.width) / 2);
    const sheet = this.#gallery.sheet(scale);
    if (sheet) save(await canvasBlob(sheet), `${this.#fileName(`seeds ${formatSeeds(this.view.seeds)}`)}.png`);
  }

  #fileName(words) {
    const name = `${this.source.entry?.id ?? this.source.title.replace(/\.(safetensors|pkl)$/, "")} ${words}`;
    return name.toLowerCase().replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^-|-$/g, "");
  }

  async #copyLink() {
    if (this.source?.local) return say(by("copy-link").title, { timeout: 6 });
    const link = linkTo(this.view, { share: true });
    try {
      await navigator.clipboard.writeText(link);
      say("The link to this view is on the clipboard.", { timeout: 4 });
    } catch {
      say(`The browser keeps its clipboard to itself. This is the link: ${link}`);
    }
  }

  #wentBack() {
    const link = readLink();
    const model = link.model !== this.view.model && !this.source?.local;
    const changed = this.view.follow({ ...link, model: model ? link.model : this.view.model });
    if (!model && !changed) return;
    this.pause();
    if (model) this.start();
    else this.refresh();
  }

  #modelList(source = this.source) {
    const select = by("model-select");
    const other = source && !source.entry;
    const options = this.models.map((model) => new Option(model.title, model.id));
    if (other) options.push(new Option(source.title, ""));
    select.replaceChildren(...options);
    select.value = other ? "" : (source?.entry.id ?? this.models[0]?.id ?? "");
  }

  #classList() {
    const { classes } = this.view;
    by("class-field").hidden = classes === 0;
    const options = Array.from({ length: classes }, (_, index) => new Option(this.view.className(index), String(index)));
    by("class-select").replaceChildren(new Option("Each in turn", ""), ...options);
  }

  // When it goes wrong.

  /** @param {Error} error with a sentence */
  #failed(error, again) {
    const cancelled = error.name === "AbortError";
    document.body.dataset.state = "failed";
    this.#progress.failed(cancelled ? "Stopped. What has arrived is kept." : error.message, cancelled ? "Go on" : "Try again", () => {
      document.body.dataset.state = "loading";
      again();
    });
  }

  /** Another model could not be opened: the present one goes on. */
  #keepOld(source, error) {
    document.body.dataset.state = "live";
    this.#modelList();
    if (error.name === "AbortError") return this.#progress.done("Stopped. The model from before is still open.");
    this.#progress.done(`${this.source.title} is still open.`);
    const action = error.name === "NetworkError" ? { label: "Try again", run: () => this.open(source) } : undefined;
    this.#note = say(error.message, { tone: "danger", action });
  }

  #replaced(why, info) {
    const then = info.device === "cpu" ? "The page goes on with the CPU." : "The network was started anew, and the page goes on.";
    say(`${why} ${then}`, { tone: "warn", timeout: 12 });
    this.#showDevice(info);
  }

  #trouble(error) {
    if (error.name === "AbortError") return;
    this.pause();
    say(error.message, { tone: "danger" });
  }
}

/** The first visit's poster and card came before the service worker did: once more, from the browser's own cache. */
function keepForOffline({ entry }) {
  for (const address of [entry?.poster, entry?.card]) if (address) fetch(address).catch(() => {});
}
