// A worker that takes the time from nothing to the first sample: the package, its wasm, the device, the model.

addEventListener("message", async ({ data: { model, device, threads, batch } }) => {
  try {
    const start = performance.now();
    const { Sampler } = await import("../../pkg/index.js");
    const sampler = await Sampler.load(model, { device, threads });
    const seeds = Array.from({ length: batch }, (_, i) => i);
    await sampler.sample({ seeds, ...(sampler.info.classes && { class: 0 }) });
    postMessage({ seconds: (performance.now() - start) / 1000, threads: sampler.info.threads });
  } catch (error) {
    postMessage({ error: error.message });
  }
});
