// A data set of noise, in the files that the package takes: what is measured does not depend on the pictures.

/** Classes of the data sets that conditional presets were published for. */
const CLASSES = { cifar10: 10, "imagenet-32": 1000, "imagenet-64": 1000 };

/** The data set's part of `TrainerOptions`. */
export async function noise(preset, side, count) {
  if (preset === "points") return { dataset: /** @type {const} */ ("ring8") };
  const pictures = await Promise.all(Array.from({ length: count }, (_, i) => picture(`${i}.png`, side)));
  const classes = CLASSES[preset] ?? 0;
  if (!classes) return { dataset: pictures };
  // The highest label is there, so that the data set has all classes.
  const labels = pictures.map(({ name }, i) => [name, classes - 1 - (i % classes)]);
  const bytes = new TextEncoder().encode(JSON.stringify({ labels }));
  return { dataset: [...pictures, { name: "dataset.json", bytes }], labels: true };
}

async function picture(name, side) {
  const pixels = new ImageData(side, side);
  for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/png" });
  return { name, bytes: new Uint8Array(await blob.arrayBuffer()) };
}
