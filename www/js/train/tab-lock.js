/** One tab at a time owns the autosave. */

const NAME = "r3gan-training";

/** @returns {Promise<null | (() => Promise<void>)>} the way to let go of it, or null if another tab has it */
export function takeTabLock() {
  const nothing = async () => {};
  if (!navigator.locks) return Promise.resolve(nothing);
  return new Promise((resolve) => {
    const held = navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(null);
        return undefined;
      }
      return new Promise((letGo) => {
        resolve(async () => {
          letGo(undefined);
          await held;
        });
      });
    });
    // Where locks are forbidden, tabs have to get along without.
    held.catch(() => resolve(nothing));
  });
}

export async function otherTabTrains() {
  const state = await navigator.locks?.query().catch(() => null);
  return state?.held?.some(({ name }) => name === NAME) ?? false;
}
