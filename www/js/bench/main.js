// The bench page: jobs from the address or the form, one after the other. Each measurement is a line of JSON in the
// page and on the console. `body[data-state]` is idle, running or done, for programs that drive the page.

import { presets } from "../../pkg/index.js";
import { duration, short } from "../shared/format.js";
import { jobs } from "./jobs.js";
import { measure } from "./measure.js";

const $ = (id) => document.getElementById(id);
const form = $("form");
const NAMES = { sample: "Sampling", first: "First sample", critic: "Critic step", generator: "Generator step", iteration: "Iteration" };
/** What the address may ask for. */
const ASKED = ["preset", "what", "device", "batch", "runs", "warmup", "least", "limit", "threads"];
const known = presets().then((all) => all.map(({ name }) => name));
let stopped = false;

function row(job, cells) {
  const row = $("rows").insertRow();
  for (const text of [job.preset, NAMES[job.what], ...cells]) row.insertCell().textContent = text;
  $("table").hidden = false;
  return row;
}

/** @param {Record<string, any>} found */
function show(job, found) {
  const text = JSON.stringify(found);
  console.log(text);
  $("lines").textContent += `${text}\n`;
  $("report").hidden = false;
  if (found.error) {
    const cell = row(job, [found.error]).lastElementChild;
    cell.className = "wide";
    cell.setAttribute("colspan", "4");
  } else {
    const device = found.device === "cpu" ? "CPU" : "WebGPU";
    const rate = found.images_per_s;
    row(job, [device, found.batch, duration(found.median_s), rate < 100 ? rate.toPrecision(2) : short(rate)]);
  }
}

async function run(query) {
  stopped = false;
  document.body.dataset.state = "running";
  [$("start").hidden, $("stop").hidden] = [true, false];
  try {
    const list = jobs(query, await known);
    for (const [at, job] of list.entries()) {
      if (stopped) break;
      $("status").textContent = `Measuring ${at + 1} of ${list.length}: ${job.preset}, ${NAMES[job.what].toLowerCase()}, batch ${job.batch}.`;
      try {
        show(job, await measure(job));
      } catch (error) {
        const { preset, what, batch, device } = job;
        show(job, { peer: "r3gan", preset, what, batch, device, error: `${error.message}` });
      }
    }
    $("status").textContent = stopped ? "Stopped." : "Done.";
  } catch (error) {
    $("status").textContent = error.message;
  }
  [$("start").hidden, $("stop").hidden] = [false, true];
  document.body.dataset.state = "done";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (document.body.dataset.state === "running") return; // Enter in a field
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) query.set(name, String(value));
  // The address asks for the same again.
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  run(query);
});
$("stop").addEventListener("click", () => (stopped = true));
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("lines").textContent);
  $("copy").textContent = "Copied";
});

const asked = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => ASKED.includes(name)));
for (const [name, value] of asked) if (form.elements[name]) form.elements[name].value = value;
if (asked.size) run(asked);
known.then(
  (names) => {
    $("preset").append(...names.map((name) => new Option(name, name)));
    $("preset").value = asked.get("preset") ?? "";
  },
  (error) => ($("status").textContent = error.message),
);
