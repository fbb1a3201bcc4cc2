/**
 * Runs one call at a time; of those that come meanwhile only the newest is kept. For controls that are dragged:
 * work never piles up behind them.
 *
 * @template {unknown[]} A
 * @param {(...args: A) => Promise<void>} run must handle its own errors
 * @returns {(...args: A) => void}
 */
export function latest(run) {
  let running = false;
  /** @type {A | null} */
  let waiting = null;
  return (...args) => {
    waiting = args;
    if (running) return;
    running = true;
    (async () => {
      try {
        while (waiting) {
          const next = waiting;
          waiting = null;
          await run(...next);
        }
      } finally {
        running = false;
      }
    })();
  };
}
