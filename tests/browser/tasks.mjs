// What holds up a page: the tasks of its main thread, from Chromium's own trace.

/**
 * Records until `stop`, which gives the longest tasks in milliseconds: on the clock, and of the processor. Where the
 * machine is busy a short task lasts long on the clock; what the page can be blamed for is its own work.
 */
export async function recordTasks(context, page) {
  const session = await context.newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { recordMode: "recordContinuously", includedCategories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline", "__metadata"] },
  });
  return async function stop() {
    const done = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.end");
    await done;
    await session.detach();
    return longest(events);
  };
}

function longest(events) {
  const key = ({ pid, tid }) => `${pid}:${tid}`;
  const main = new Set(events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(key));
  const tasks = events.filter((event) => event.ph === "X" && /RunTask$/.test(event.name) && main.has(key(event)));
  const inside = (task) =>
    events
      .filter((event) => event.ph === "X" && key(event) === key(task) && event.ts >= task.ts && event.ts < task.ts + task.dur && event.dur > task.dur / 3 && event !== task)
      .map(({ name, args }) => [name, args?.data?.functionName, args?.data?.url?.split("/").pop()].filter(Boolean).join(" "));
  const sorted = tasks.sort((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0)).slice(0, 3);
  return sorted.map((task) => ({ wall: task.dur / 1000, cpu: (task.tdur ?? task.dur) / 1000, work: [...new Set(inside(task))].slice(0, 6) }));
}
