// One instance of the parity module.

import init, { prepare, provide, run, tests } from "../suite/parity.js";

let notes = [];
console.log = (text) => notes.push(text);

onmessage = async ({ data }) => {
  notes = [];
  const reply = (fields) => postMessage({ notes, ...fields });
  try {
    if (data.module) {
      await init({ module_or_path: data.module });
      prepare((message) => reply({ failed: message }));
      for (const [path, bytes] of data.files) provide(path, bytes);
      reply({});
    } else if (data.run) {
      await run(data.run);
      reply({});
    } else {
      reply({ tests: tests() });
    }
  } catch (error) {
    // After a panic the trap arrives here too; the message went before it.
    reply({ failed: String(error?.message ?? error) });
  }
};
