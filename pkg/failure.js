/** What went wrong, as an error that a person can read. */

export function failure(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** An error of a module, or its trap, as a name and a sentence; after a fatal one the module is in no defined state. */
export function describe(error) {
  const panic = globalThis.r3ganPanic;
  const message = panic ?? error?.message ?? String(error);
  const trapped = panic !== undefined || error instanceof WebAssembly.RuntimeError;
  if (/out of memory|OutOfMemory|memory allocation of|allocation failed|could not allocate|capacity overflow/i.test(message)) {
    return { name: "OutOfMemoryError", message: "There is not enough memory; use a smaller batch or a smaller network.", fatal: trapped };
  }
  if (trapped) return { name: "CrashError", message: `This should not have happened: ${firstLine(message)}`, fatal: true };
  return { name: error?.name ?? "Error", message, fatal: false };
}

/** A panic says where it happened first, and what behind it. */
function firstLine(message) {
  return message.split("\n").filter(Boolean).slice(0, 2).join(" ");
}
