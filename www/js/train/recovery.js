/** What to do when training fails: by itself, or as offers to choose from. Decisions only. */

/**
 * A way to go on.
 * @typedef {object} Offer
 * @property {string} label
 * @property {{batch?: number, learningRate?: number, gamma?: number}} [settings] to change first
 * @property {"cpu"} [device] to change to first
 */
/**
 * @typedef {object} Plan
 * @property {string} says one or two sentences
 * @property {boolean} automatic go on without asking
 * @property {Offer[]} offers
 */
/**
 * @typedef {object} Circumstances
 * @property {number | null} keptImages images of the newest checkpoint at hand
 * @property {number} batch
 * @property {number} learningRate
 * @property {number} gamma
 * @property {number} losses lost devices lately, this one included
 * @property {"webgpu" | "cpu"} device
 * @property {boolean} [beforeChange] the run goes back to before the last change of a setting, and to its settings
 */

/** A device that is lost this often in a few minutes will be lost again. */
const MOST_LOSSES = 3;
const MOST_GAMMA = 1000;
const LEAST_GAMMA = 0.1;

/** After these the trainer is of no more use; anything else concerns one call. */
export function isFatal({ name }) {
  return ["DeviceLostError", "OutOfMemoryError", "DivergedError", "CrashError"].includes(name);
}

/**
 * The run is put back to its newest checkpoint in any case; this says why, and how it could go on.
 * @param {Error} error
 * @param {Circumstances} run
 * @param {(n: number) => string} format for counts
 * @returns {Plan}
 */
export function planFor(error, run, format = String) {
  const place = placeOf(run, format);
  switch (error.name) {
    case "DeviceLostError":
      return lost(error, run, place);
    case "OutOfMemoryError":
      return {
        says: `The device ran out of memory with ${run.batch} a step. The run went back to ${place}.`,
        automatic: false,
        offers: [...halfBatch(run), { label: `Try ${run.batch} a step again` }],
      };
    case "DivergedError":
      return diverged(run, place);
    default:
      return {
        says: `Training stopped. ${sentence(error.message)} The run went back to ${place}.`,
        automatic: false,
        offers: [{ label: "Go on" }],
      };
  }
}

/**
 * The run could not be put back.
 * @param {Error} error
 * @param {Circumstances} run
 * @param {(n: number) => string} format
 * @returns {Plan}
 */
export function stuckPlan(error, run, format = String) {
  /** @type {Offer[]} */
  const offers = [{ label: "Try again" }];
  if (error.name === "OutOfMemoryError") offers.unshift(...halfBatch(run));
  if (run.device === "webgpu") offers.push({ device: "cpu", label: "Go on with the CPU" });
  const kept = `The run is kept at ${placeOf(run, format)}.`;
  return { says: `Training cannot go on. ${sentence(error.message)} ${kept}`, automatic: false, offers };
}

/** @returns {Plan} */
function diverged(run, place) {
  const says = `Training diverged: a value is no longer a number. The run went back to ${place}`;
  const changes = [...halfRate(run), ...moreGamma(run)];
  return run.beforeChange
    ? {
        says: `${says} and to the settings before your last change.`,
        automatic: false,
        offers: [{ label: "Go on with those" }, ...changes],
      }
    : {
        says: `${says}; change something, or it may happen again.`,
        automatic: false,
        offers: [...changes, { label: "Change nothing" }],
      };
}

/** @returns {Plan} */
function lost(error, run, place) {
  if (run.losses < MOST_LOSSES) {
    return {
      says: `${sentence(error.message)} The run went back to ${place}, on a new device.`,
      automatic: true,
      offers: [{ label: "Go on" }],
    };
  }
  /** @type {Offer[]} */
  const offers = [{ label: "Try again" }, ...halfBatch(run)];
  if (run.device === "webgpu") offers.push({ device: "cpu", label: "Go on with the CPU" });
  return {
    says: `The device was lost ${run.losses} times in a few minutes. The run went back to ${place}.`,
    automatic: false,
    offers,
  };
}

function placeOf({ keptImages }, format) {
  return keptImages ? `${format(keptImages)} images` : "its beginning";
}

/** @returns {Offer[]} */
function halfBatch({ batch }) {
  if (batch < 2) return [];
  const half = Math.floor(batch / 2);
  return [{ label: `Go on with ${half} a step`, settings: { batch: half } }];
}

/** @returns {Offer[]} */
function halfRate({ learningRate }) {
  if (!(learningRate > 0)) return [];
  const half = learningRate / 2;
  return [{ label: `Half the learning rate: ${short(half)}`, settings: { learningRate: half } }];
}

/** @returns {Offer[]} */
function moreGamma({ gamma }) {
  // A penalty that weighs this much is no remedy, it is the trouble.
  if (gamma > MOST_GAMMA) return [];
  const [more, label] = gamma > 0 ? [gamma * 4, "Four times gamma"] : [LEAST_GAMMA, "Some gamma"];
  return [{ label: `${label}: ${short(more)}`, settings: { gamma: more } }];
}

function short(value) {
  return String(Number(value.toPrecision(2)));
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
