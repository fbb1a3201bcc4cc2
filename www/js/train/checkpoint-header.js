/** What a checkpoint says about itself, read without the trainer: enough to prepare the form for it. */

const MOST_HEADER = 16 << 20;

/**
 * @typedef {object} CheckpointHeader
 * @property {string} preset
 * @property {number} images
 * @property {number} criticSteps
 * @property {number} generatorSteps
 * @property {number} batch
 * @property {number} seed
 * @property {number} classes 0: without labels
 * @property {number} learningRate
 * @property {number} gamma
 */
/**
 * @param {Blob & {name?: string}} file
 * @returns {Promise<CheckpointHeader>}
 * @throws one sentence that names the file
 */
export async function readCheckpointHeader(file) {
  const name = file.name || "The file";
  const refuse = (reason) => {
    const error = new Error(`${name}: ${reason}`);
    error.name = "InputError";
    return error;
  };
  const notOurs = () => refuse("is not a checkpoint of r3gan; choose a file that ends in .safetensors");
  if (file.size < 8) throw notOurs();
  const start = new DataView(await file.slice(0, 8).arrayBuffer());
  const length = start.getUint32(0, true) + start.getUint32(4, true) * 2 ** 32;
  if (length < 2 || length > MOST_HEADER || length > file.size - 8) throw notOurs();
  let header;
  try {
    const list = JSON.parse(await file.slice(8, 8 + length).text());
    header = JSON.parse(list.__metadata__.r3gan);
  } catch {
    throw notOurs();
  }
  if (header?.kind === "model") {
    throw refuse("is a model, which cannot be trained further; open it in Sample, or choose a checkpoint");
  }
  const config = header?.config;
  if (header?.kind !== "checkpoint" || typeof config?.preset !== "string") throw notOurs();
  return {
    preset: config.preset,
    images: number(header.images),
    criticSteps: number(header.critic_steps),
    generatorSteps: number(header.generator_steps),
    batch: number(config.batch),
    seed: number(config.seed),
    classes: number(config.network?.classes),
    learningRate: number(config.learning_rate?.base),
    gamma: number(config.gamma?.base),
  };
}

function number(value) {
  return Number.isFinite(value) ? value : 0;
}
