// One instance of a parity module; that for the CPU's cores computes with two threads.

const THREADS = 2;

let notes = [];
console.log = (text) => notes.push(text);
let suite = null;

/** Starts the second thread, and then the pool. */
async function gather(module, memory) {
  await new Promise((resolve, reject) => {
    const thread = new Worker("thread.js", { type: "module" });
    let ready = false;
    const fail = (failed) => (ready ? postMessage({ notes, failed }) : reject(new Error(failed)));
    thread.onmessage = ({ data }) => {
      if (data.failed) return fail(data.failed);
      ready = true;
      resolve();
    };
    thread.onerror = (event) => fail(event.message ?? "the thread cannot be loaded");
    thread.postMessage({ module, memory });
  });
  suite.startPool(THREADS);
  suite.keepAwake(true);
}

onmessage = async ({ data }) => {
  notes = [];
  const reply = (fields) => postMessage({ notes, ...fields });
  try {
    if (data.module) {
      suite = await import(`../suite/${data.name}.js`);
      const { memory } = await suite.default({ module_or_path: data.module });
      if (suite.startPool) await gather(data.module, memory);
      suite.prepare((message) => reply({ failed: message }));
      for (const [path, bytes] of data.files) suite.provide(path, bytes);
      reply({});
    } else if (data.run) {
      await suite.run(data.run);
      reply({ tasks: suite.tasksOfThreads?.() });
    } else {
      reply({ tests: suite.tests() });
    }
  } catch (error) {
    // After a panic the trap arrives here too; the message went before it.
    reply({ failed: String(error?.message ?? error) });
  }
};
