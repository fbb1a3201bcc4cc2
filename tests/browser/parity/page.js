// Runs tests of the parity module by name, each device's in a worker that lives until a test fails in it.

const files = new Map();
let module;
const workers = new Map();

/** Fetches the module and the fixture files; gives the names of the tests. */
async function prepare(paths) {
  const fetchFile = async (path) => {
    const response = await fetch(`../fixtures/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    files.set(path, new Uint8Array(await response.arrayBuffer()));
  };
  await Promise.all(paths.map(fetchFile));
  module = await WebAssembly.compileStreaming(fetch("../suite/parity_bg.wasm"));
  const { tests } = await ask("host", {});
  return tests;
}

/** Starts a worker if there is none for the device, and puts one question to it. */
async function ask(device, question) {
  if (!workers.has(device)) {
    const worker = new Worker("worker.js", { type: "module" });
    workers.set(device, worker);
    await answer(worker, { module, files });
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
  const reply = await ask(name.split("::").at(-1), { run: name });
  return { ...reply, seconds: (performance.now() - start) / 1000 };
}

window.parity = { prepare, run };
