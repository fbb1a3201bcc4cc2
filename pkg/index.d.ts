/**
 * r3gan in a web page: sample and train GANs on the visitor's own GPU (WebGPU), or on its CPU where there is none.
 *
 * Every `Sampler` and every `Trainer` has a worker of its own: nothing here blocks the page, and `dispose()` ends
 * the worker, which frees its GPU memory at once. All errors are `Error`s with one sentence; `name` tells them apart:
 *
 * | name | when |
 * |---|---|
 * | `InputError` | a file or data set cannot be used; the sentence names it |
 * | `SettingError` | an option has a value that cannot be used |
 * | `DeviceError` | WebGPU is not there, or cannot be opened |
 * | `DeviceLostError` | the GPU was taken away; create a new object, restore the last checkpoint |
 * | `OutOfMemoryError` | the device is out of memory; use a smaller batch or network |
 * | `DivergedError` | training produced a value that is not a number; restore a checkpoint, lower the learning rate |
 * | `NetworkError` | a download failed |
 * | `AbortError` | your own `AbortSignal`, or `dispose()` while a call was running |
 * | `CrashError` | what should never happen; the object cannot be used any more |
 */

/** `auto` is WebGPU on a real GPU, else the CPU. */
export type DeviceName = "auto" | "webgpu" | "cpu";

export interface Capabilities {
  /** Whether WebGPU has an adapter here. */
  webgpu: boolean;
  /** What `auto` stands for. */
  device: "webgpu" | "cpu";
  /** One sentence for people: which adapter, or why the CPU and how to get WebGPU. */
  reason: string;
  adapter: null | {
    vendor: string;
    architecture: string;
    device: string;
    description: string;
    /** A driver that imitates a GPU on the CPU: correct, and slow. */
    software: boolean;
  };
  /** The adapter's limits by WebGPU's names; empty without an adapter. */
  limits: Record<string, number>;
  /** Shaders may compute in half precision. */
  f16: boolean;
  subgroups: boolean;
  /** Threads that compute where networks run on the CPU: 1 where the page is not isolated (see `Options.threads`). */
  threads: number;
}

/** What this browser can do. Never rejects. */
export function capabilities(): Promise<Capabilities>;

export interface Progress {
  /** What is being fetched. */
  stage: "wasm" | "model";
  /** Bytes so far. */
  loaded: number;
  /** Bytes in all, if the server says. */
  total: number | null;
}

export interface Options {
  /** Default `auto`. */
  device?: DeviceName;
  /**
   * The most threads that compute on the CPU; default all cores, 16 at most. More than one takes an isolated page: the host
   * sends `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
   */
  threads?: number;
  onProgress?: (progress: Progress) => void;
  /** Ends the download or the start; the promise then rejects with an `AbortError`. */
  signal?: AbortSignal;
}

export type Bytes = ArrayBuffer | Uint8Array | Blob;

export interface ModelInfo {
  /** A checkpoint is sampled through its averaged generator, and so is an official snapshot, which counts as a model. */
  kind: "model" | "checkpoint";
  /** `custom` for an official snapshot with networks that no preset has. */
  preset: string;
  /** Real images that the critic had seen. */
  images: number;
  /** Of the weights in the file. */
  precision: "f32" | "f16";
  licence: string;
  /** Length of a latent. */
  latent: number;
  /** 0 for an unconditional model. */
  classes: number;
  /** Pixels; 1 x 1 for a model of points. */
  width: number;
  height: number;
  /** 3 for pictures, 2 for points. */
  channels: number;
  parameters: number;
  bytes: number;
  sha256: string;
  device: "webgpu" | "cpu";
  /** Threads that compute on the CPU; 1 on a GPU. */
  threads: number;
}

export interface SampleRequest {
  /** One sample each; numpy's `RandomState(seed).randn(latent)`, as `r3gan sample --seeds`. 0 to 2^32 - 1. */
  seeds?: number[];
  /** Or the latents themselves, `[count, latent]`. */
  latents?: Float32Array;
  /** One class for all samples, or one each; required by conditional models. */
  class?: number | number[];
  /** Also return the network's own output. */
  values?: boolean;
  /**
   * Return a `bitmap` instead of `pixels` where the samples are pictures on a GPU and the browser can: they are drawn
   * there and never read back. Elsewhere, on a GPU that is imitated, and with `values`, there are `pixels` all the same.
   * Default false.
   */
  bitmap?: boolean;
}

export interface MixRequest {
  /** The anchors, as in a `SampleRequest`. */
  seeds?: number[];
  latents?: Float32Array;
  /**
   * One row for each sample, one weight for each anchor: z = sum w z / sqrt(sum w^2), which is Gaussian again, so
   * what lies between two faces is a face.
   */
  weights: number[][];
  class?: number | number[];
  values?: boolean;
  bitmap?: boolean;
}

export interface Samples {
  count: number;
  width: number;
  height: number;
  /** RGBA, `[count, height, width, 4]`: slice a sample out and it is an `ImageData`. Empty for points and with a bitmap. */
  pixels: Uint8ClampedArray;
  /** The same pictures below one another, `width` x `count * height`, for `drawImage`; `close()` frees it early. */
  bitmap?: ImageBitmap;
  /** `[count, height, width, channels]`, pictures in [-1, 1]; pictures have it when asked, points always. */
  values?: Float32Array;
}

export interface SamplerOptions extends Options {
  /**
   * What the stages next to the pictures are computed in, up to four of them; default `f32`. `f16` needs a GPU whose
   * shaders have it (`capabilities().f16`) or the CPU, and moves pictures by a level at most; `bf16` is what official
   * models were trained in, rounded from f32.
   */
  precision?: "f32" | "bf16" | "f16";
}

/** Samples from a model. */
export class Sampler {
  /** Opens a model or checkpoint of ours, or an official snapshot (`.pkl`), from bytes, a file, or an address. */
  static load(source: Bytes | string | URL, options?: SamplerOptions): Promise<Sampler>;
  readonly info: ModelInfo;
  /** Resolves with a sentence if the device is lost; stays pending otherwise. */
  readonly lost: Promise<string>;
  /** Latents of seeds, `[seeds, latent]`. */
  latents(seeds: number[]): Promise<Float32Array>;
  sample(request: SampleRequest): Promise<Samples>;
  /** Samples between samples. */
  interpolate(request: MixRequest): Promise<Samples>;
  /** Ends the worker and frees its memory; calls that are running reject with an `AbortError`. */
  dispose(): void;
}

export interface NamedBytes {
  name: string;
  bytes: Uint8Array;
}

/** A point set by name, or the files that `r3gan train --data` takes: pictures, one zip, IDX, CIFAR-10 binary. */
export type DatasetSource = "ring8" | "grid25" | NamedBytes[];

export interface TrainerOptions extends Options {
  /** `demo-16`, `demo-32`, `demo-64`, `points`, or any other of `r3gan train --preset`. */
  preset: string;
  dataset: DatasetSource;
  /** Keys of the configuration, as `r3gan train --set`: `{ batch: 16, "gamma.base": 2 }`. */
  config?: Record<string, number | string | boolean>;
  /** Seed of weights, data order and noise; default 0. */
  seed?: number;
  /** Train with the data set's labels; default false. */
  labels?: boolean;
  /** Add every picture flipped left to right; default false. */
  mirror?: boolean;
  /** Go on from this checkpoint; preset, config and seed are then the checkpoint's. */
  checkpoint?: Bytes;
}

export interface TrainerInfo {
  preset: string;
  device: "webgpu" | "cpu";
  /** Threads that compute on the CPU; 1 on a GPU. */
  threads: number;
  batch: number;
  latent: number;
  classes: number;
  width: number;
  height: number;
  channels: number;
  parameters: { generator: number; critic: number };
  /** Items of the data set. */
  items: number;
  /** About the peak of a step, in bytes, from the networks' description. */
  footprint: number;
  images: number;
  /** The whole configuration, as in a checkpoint. */
  config: Record<string, unknown>;
}

export interface StepStats {
  /** Real images that the critic has seen since the run began. */
  images: number;
  /** Steps of each player since the run began. */
  criticSteps: number;
  generatorSteps: number;
  /** Wall time of this call, and images through the critic per second of it. */
  seconds: number;
  imagesPerSecond: number;
  /** Means over this call; null for the player that did not move. */
  criticLoss: number | null;
  generatorLoss: number | null;
  /** Squared gradient norms, before gamma / 2. */
  r1: number | null;
  r2: number | null;
  /** Mean of real minus fake logit in the critic's phase. */
  logitGap: number | null;
  /** Of the last iteration. */
  gamma: number;
  learningRate: number;
  beta2: number;
  averageHalfLife: number;
  /** Probability of each augmentation. */
  augmentation: number;
  memory: {
    /** Bytes of GPU memory in use and set aside; null on the CPU. */
    used: number | null;
    reserved: number | null;
    /** Bytes of the worker's wasm memory, which never shrinks. */
    wasm: number;
  };
}

export interface Coverage {
  /** Good samples at each mode; a sample is good within 3 deviations of its nearest mode. */
  hits: number[];
  /** Modes with at least 20 good samples. */
  covered: number;
  modes: number;
  /** 0..1 */
  goodShare: number;
}

export interface TrainingSamples extends Samples {
  /** Of the averaged generator, for `ring8` and `grid25` with at least 20 samples a mode. */
  coverage?: Coverage;
}

/** Trains one pair of networks. Pull-driven: nothing moves unless `steps` is called, so pausing is not calling. */
export class Trainer {
  static create(options: TrainerOptions): Promise<Trainer>;
  /** As of the last call that changed it. */
  readonly info: TrainerInfo;
  readonly lost: Promise<string>;
  /** `count` iterations of both players. */
  steps(count: number): Promise<StepStats>;
  /** One step of the critic alone. */
  stepCritic(): Promise<StepStats>;
  /** One step of the generator alone. */
  stepGenerator(): Promise<StepStats>;
  /** The averaged generator at fixed latents, the same from call to call; 2000 for points, else `count` (16). */
  samples(count?: number): Promise<TrainingSamples>;
  /** Real pictures or points as the critic sees them: the first `count` of a fixed shuffle. */
  reals(count?: number): Promise<Samples>;
  /**
   * The critic's logit on a square of `side` x `side` points, row by row from (-reach, reach), y downwards;
   * for point sets without labels.
   */
  criticSurface(side: number, reach: number): Promise<Float32Array>;
  /** Changes settings while it runs; a schedule becomes this constant. */
  set(settings: { gamma?: number; learningRate?: number; batch?: number }): Promise<TrainerInfo>;
  /** Everything that the run continues from, exactly: the file that `r3gan train --resume` takes. */
  checkpoint(): Promise<Uint8Array>;
  /** Goes back, or on, to a checkpoint of the same data set. */
  restore(checkpoint: Bytes): Promise<TrainerInfo>;
  /** The averaged generator as a model file. */
  exportModel(options?: { dtype?: "f32" | "f16" }): Promise<Uint8Array>;
  /** The data set's pictures as the zip that `r3gan train --data` takes; null for data that is not pictures. */
  dataset(): Promise<Uint8Array | null>;
  dispose(): void;
}

/** The presets that there are, small ones first. */
export function presets(): Promise<
  { name: string; side: number; batch: number; kimg: number; learningRate: number; gamma: number; parameters: number }[]
>;

/** Loads and compiles the wasm module that `auto` takes ahead of the first `Sampler` or `Trainer`. */
export function preload(options?: { onProgress?: (progress: Progress) => void }): Promise<void>;

/** For tests of what follows: takes the device away as a driver reset would. */
export function loseDevice(job: Sampler | Trainer): void;
