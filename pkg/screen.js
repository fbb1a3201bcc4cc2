/** A canvas that a GPU writes pictures to, in a worker: their way to the page leads past the memory of both. */

export class Screen {
  #device;
  #lost = false;
  #canvas = new OffscreenCanvas(1, 1);
  #context = /** @type {GPUCanvasContext} */ (/** @type {unknown} */ (this.#canvas.getContext("webgpu")));

  /** @param {GPUDevice} device */
  constructor(device) {
    this.#device = device;
    device.lost.then(() => (this.#lost = true));
    this.#context.configure({ device, format: "rgba8unorm", usage: GPUTextureUsage.COPY_DST, alphaMode: "opaque" });
  }

  /** Whether a picture of this size fits a texture. */
  holds(width, height) {
    return Math.max(width, height) <= this.#device.limits.maxTextureDimension2D;
  }

  /** RGBA of a buffer, in rows that begin at multiples of 256 bytes; done when the GPU is, and refused if it refuses. */
  async bitmap(buffer, offset, width, height) {
    const device = this.#device;
    let bitmap = null;
    device.pushErrorScope("validation");
    try {
      Object.assign(this.#canvas, { width, height });
      const encoder = device.createCommandEncoder();
      const bytesPerRow = Math.ceil(width / 64) * 256;
      encoder.copyBufferToTexture({ buffer, offset, bytesPerRow }, { texture: this.#context.getCurrentTexture() }, [width, height]);
      device.queue.submit([encoder.finish()]);
      bitmap = this.#canvas.transferToImageBitmap();
    } catch (error) {
      device.popErrorScope().catch(() => {});
      throw error;
    }
    try {
      // Whoever asks goes by how long it takes.
      const [refused] = await Promise.all([device.popErrorScope(), device.queue.onSubmittedWorkDone()]);
      if (refused || this.#lost) throw new Error(refused?.message ?? "the GPU was taken away");
      return bitmap;
    } catch (error) {
      bitmap.close();
      throw error;
    }
  }
}

/**
 * Whether a canvas shows what is written to it. Where browser and GPU do not fit together it stays empty, or the GPU
 * is taken away; so this is tried on a device of its own, before there is another one.
 */
export async function screenWorks() {
  let device = null;
  let bitmap = null;
  try {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    device = await adapter.requestDevice();
    const buffer = device.createBuffer({ size: 8, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set([9, 9, 9, 9, 1, 128, 254, 255]);
    buffer.unmap();
    const page = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    bitmap = await new Screen(device).bitmap(buffer, 4, 1, 1);
    page.drawImage(bitmap, 0, 0);
    const { data } = page.getImageData(0, 0, 1, 1);
    if (data.join() === "1,128,254,255") return true;
  } catch {
    // As when it shows nothing.
  } finally {
    bitmap?.close();
    device?.destroy();
  }
  // A GPU that was taken away comes back in a moment.
  for (let i = 0; i < 20 && navigator.gpu && !(await navigator.gpu.requestAdapter().catch(() => null)); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return false;
}
