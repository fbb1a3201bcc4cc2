// The second thread of the parity module for the CPU's cores.

import { initSync, runThread } from "../suite/parity_cpu.js";

onmessage = ({ data }) => {
  try {
    initSync(data);
    postMessage({});
    runThread();
  } catch (error) {
    postMessage({ failed: `in the second thread: ${error.message}` });
  }
};
