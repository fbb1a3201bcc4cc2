// Runs tests of the parity modules by name, each device's in a worker that lives until a test fails in it. The module for
// the CPU's cores has the device `cores`.

const files = new Map();
const modules = new Map();
const workers = new Map();

/** The module that a device's tests are in. */
const moduleOf = (device) => (device === "cores" ? "parity_cpu" : "parity");

/** Fetches the modules and the fixture files; gives the names of the tests. */
async function prepare(paths) {
  const fetchFile = async (path) => {
    const response = await fetch(`../fixtures/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    files.set(path, new Uint8Array(await response.arrayBuffer()));
  };
  const fetchModule = async (name) => modules.set(name, await WebAssembly.compileStreaming(fetch(`../suite/${name}_bg.wasm`)));
  await Promise.all([...paths.map(fetchFile), ...["parity", "parity_cpu"].map(fetchModule)]);
  const [here, there] = [await ask("host", {}), await ask("cores", {})];
  const onCpu = there.tests.filter((name) => name.endsWith("::cpu"));
  return [...here.tests, ...onCpu.map((name) => name.replace(/cpu$/, "cores"))];
}

/** Starts a worker if there is none for the device, and puts one question to it. */
async function ask(device, question) {
  if (!workers.has(device)) {
    const worker = new Worker("worker.js", { type: "module" });
    workers.set(device, worker);
    const name = moduleOf(device);
    const started = await answer(worker, { name, module: modules.get(name), files });
    if (started.failed) throw new Error(`${name}: ${started.failed}`);
  }
  const worker = workers.get(device);
  const reply = await answer(worker, question);
  if (reply.failed) {
    // A panic leaves the instance, and what it had on the GPU, in no known state.
    worker.terminate();
    workers.delete(device);
  }
  return reply;
}

function answer(worker, question) {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve({ failed: event.message ?? "the worker cannot be loaded" });
    };
    worker.postMessage(question);
  });
}

async function run(name) {
  const start = performance.now();
  const reply = await ask(name.split("::").at(-1), { run: name.replace(/cores$/, "cpu") });
  return { ...reply, seconds: (performance.now() - start) / 1000 };
}

window.parity = { prepare, run };
