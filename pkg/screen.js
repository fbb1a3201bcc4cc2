/** A canvas that a GPU writes pictures to, in a worker: their way to the page leads past the memory of both. */

export class Screen {
  #device;
  #canvas = new OffscreenCanvas(1, 1);
  #context = /** @type {GPUCanvasContext} */ (/** @type {unknown} */ (this.#canvas.getContext("webgpu")));

  /** @param {GPUDevice} device */
  constructor(device) {
    this.#device = device;
    this.#context.configure({ device, format: "rgba8unorm", usage: GPUTextureUsage.COPY_DST, alphaMode: "opaque" });
  }

  /** RGBA of a buffer, in rows that begin at multiples of 256 bytes; null if that is more than a texture holds. */
  bitmap(buffer, offset, width, height) {
    if (Math.max(width, height) > this.#device.limits.maxTextureDimension2D) return null;
    Object.assign(this.#canvas, { width, height });
    const encoder = this.#device.createCommandEncoder();
    const bytesPerRow = Math.ceil(width / 64) * 256;
    encoder.copyBufferToTexture({ buffer, offset, bytesPerRow }, { texture: this.#context.getCurrentTexture() }, [width, height]);
    this.#device.queue.submit([encoder.finish()]);
    return this.#canvas.transferToImageBitmap();
  }
}

/**
 * Whether a canvas shows what is written to it. Where browser and GPU do not fit together it stays empty, or the GPU
 * is taken away; so this is tried on a device of its own, before there is another one.
 */
export async function screenWorks() {
  try {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    const device = await adapter.requestDevice();
    const buffer = device.createBuffer({ size: 8, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set([9, 9, 9, 9, 1, 128, 254, 255]);
    buffer.unmap();
    const page = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    page.drawImage(new Screen(device).bitmap(buffer, 4, 1, 1), 0, 0);
    const { data } = page.getImageData(0, 0, 1, 1);
    device.destroy();
    if (data.join() === "1,128,254,255") return true;
  } catch {
    // As when it shows nothing.
  }
  // A GPU that was taken away comes back in a moment.
  for (let i = 0; i < 20 && !(await navigator.gpu.requestAdapter()); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return false;
}
