// Memory of Chromium's processes, from /proc: what a software GPU uses is in the GPU process.

import { readdir, readFile } from "node:fs/promises";

/** Resident bytes by kind of process of the browser with this profile; its children carry no profile in their line. */
export async function processes(profile) {
  const all = [];
  for (const id of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const read = (name) => readFile(`/proc/${id}/${name}`, "utf8").catch(() => "");
    const line = (await read("cmdline")).replaceAll("\0", " ");
    if (!line.includes("chrom")) continue;
    const status = await read("status");
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    all.push({ id: Number(id), parent: field("PPid"), resident: field("VmRSS") * 1024, line });
  }
  const ours = new Set(all.filter(({ line }) => line.includes(profile)).map(({ id }) => id));
  for (let before = -1; before !== ours.size; ) {
    before = ours.size;
    all.filter(({ parent }) => ours.has(parent)).forEach(({ id }) => ours.add(id));
  }
  const sums = { browserProcess: 0, gpuProcess: 0, rendererProcesses: 0, otherProcesses: 0 };
  for (const { id, resident, line } of all) {
    if (!ours.has(id)) continue;
    const kind = /--type=([\w-]+)/.exec(line)?.[1];
    const name = { undefined: "browserProcess", "gpu-process": "gpuProcess", renderer: "rendererProcesses" }[kind];
    sums[name ?? "otherProcesses"] += resident;
  }
  return sums;
}
