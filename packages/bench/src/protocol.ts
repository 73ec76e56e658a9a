/**
 * What the benchmark's parent process and a contender's process say to each other.
 *
 * A contender is a file `src/contenders/<name>/main.ts` that calls `serve(contender)` of `serve.ts`. It is started once
 * for each task, is told the task in its first argument (JSON), prepares and warms up, says `ready`, and from then on
 * runs the task whenever it is asked to. While it waits it must leave the processor alone: others are being timed.
 */

/** Networks that a task can name. All without their top, from Keras' definition, with weights by `hashWeights`. */
export type ModelName = 'vgg16' | 'vgg19' | 'inception_v3' | 'resnet50';

/** A convolution as its layer has it: NHWC pictures, HWIO kernel, no dilation, no bias, no activation. */
export interface Convolution {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly ci: number;
  readonly co: number;
  readonly kh: number;
  readonly kw: number;
  /** Down and across. */
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/** What of a convolution is computed: y of x; dx of dy; dkernel of x and dy. */
export type Direction = 'forward' | 'input-gradient' | 'filter-gradient';

/** What a contender is asked to do; one `run` does all of it once. */
export type Task =
  ForwardTask | ConvolutionTask | TrainTask | ExtractTask | FirstResultTask | CachedEpochTask;

/** A batch through a network, features back on the host. Output `features`: everything that the network gives. */
export interface ForwardTask {
  readonly kind: 'forward';
  readonly model: ModelName;
  /** Height and width of the pictures. */
  readonly size: number;
  readonly batch: number;
  readonly materials: Materials;
}

/**
 * One convolution or one of its gradients; the operands lie on the device already, the result stays there.
 * Output `result`: y, dx or dkernel.
 */
export interface ConvolutionTask {
  readonly kind: 'convolution';
  readonly direction: Direction;
  readonly convolution: Convolution;
}

/**
 * `steps` training steps: forward, backward, update, a batch after the other, in order, no shuffling.
 *
 * The model (`materials.model`) ends in one sigmoid unit, the loss is binary crossentropy averaged over the batch, the
 * optimizer stochastic gradient descent with momentum as Keras defines it. Layers before `trainableFrom` (in the
 * order of `model.layers`) are frozen as Keras means it: batch normalisation among them uses its moving statistics.
 * The inputs lie on the device or on the host, as the contender likes: they are small beside the work.
 *
 * Outputs, of the first run: `loss`, the mean of the batches' losses, one number; `update`, how much the kernel of
 * layer `trainableFrom` has changed (after minus before, its own layout).
 */
export interface TrainTask {
  readonly kind: 'train';
  /** Shape of the model's input without the batch. */
  readonly input: readonly number[];
  /** `pictures` are in [-1, 1), `features` in [0, 1) as behind a relu. */
  readonly inputKind: 'pictures' | 'features';
  readonly batch: number;
  readonly steps: number;
  /** Name of the first layer that learns; it has a kernel. */
  readonly trainableFrom: string;
  readonly learningRate: number;
  readonly momentum: number;
  readonly materials: Materials;
}

/** Features of a folder of pictures: decoding, resizing, the network, features on the host. Output `features`. */
export interface ExtractTask {
  readonly kind: 'extract';
  readonly model: ModelName;
  readonly size: number;
  readonly batch: number;
  /** How many pictures the folder holds. */
  readonly pictures: number;
  readonly materials: Materials;
}

/**
 * From nothing to the features of one picture: load what the contender is made of, open the device, load the model's
 * file, run. `prepare` does it all up to the first `run`; the parent holds the clock, from before the process starts.
 * Output `features`.
 */
export interface FirstResultTask {
  readonly kind: 'first-result';
  readonly model: ModelName;
  readonly size: number;
  readonly batch: number;
  readonly materials: Materials;
}

/**
 * An epoch of the trained part alone, over the frozen part's outputs for a folder of pictures, in the folder's order. Loss
 * and optimizer as in `TrainTask`. Output `loss`, of the most recent run.
 */
export interface CachedEpochTask {
  readonly kind: 'cached-epoch';
  /** The outputs as `fit` finds them after the first epoch, or lying in memory as ready batches. */
  readonly outputs: 'kept' | 'ready';
  readonly model: ModelName;
  readonly size: number;
  readonly batch: number;
  readonly pictures: number;
  readonly trainableFrom: string;
  readonly learningRate: number;
  readonly momentum: number;
  readonly materials: Materials;
}

/** Files that contenders read, made by the parent before any of them starts. Absolute paths. */
export interface Materials {
  /** TensorFlow.js' layers-model (`model.json` with its weights beside it), written by convbase's `saveModel`. */
  readonly model?: string;
  /** The same network with the same weights for ONNX runtimes (input NHWC as everywhere here). */
  readonly onnx?: string;
  /** A folder with JPEG pictures in two folders, one for each class. */
  readonly pictures?: string;
  /** A folder for what a contender keeps on disk; the parent removes it. */
  readonly scratch?: string;
}

/** What a contender runs on. */
export interface Runner {
  /** The adapter's own name, or the processor's; with what matters for speed: `wasm: SIMD, 2 threads`. */
  readonly name: string;
  /** `software` is a GPU adapter that is a rasteriser on the processor. */
  readonly kind: 'gpu' | 'software' | 'cpu';
  /** What it is made of, with versions: `{ '@tensorflow/tfjs-core': '4.22.0' }`. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a contender does for one task, once it is prepared. */
export interface Prepared {
  readonly runner: Runner;
  /** Does the task once. Resolves when the device's queue is drained and what the task wants back is on the host. */
  run(): Promise<void>;
  /** The task's outputs by name, of the most recent run; for training of the first. Called once, outside the clock. */
  outputs(): Promise<Readonly<Record<string, ArrayLike<number>>>>;
  /** Bytes of GPU memory allocated at the most, where that is known. Called at the end. */
  peakGpuBytes?(): number;
}

/** One side of the race. */
export interface Contender {
  /** As in `--contenders` and in the results: `tfjs-webgpu`. */
  readonly name: string;
  /** Gets ready for one task. Throws `Unsupported` for what the contender has no way to do. */
  prepare(task: Task, settings: Settings): Promise<Prepared>;
}

export interface Settings {
  /** Threads that a contender on the processor may use. */
  readonly threads: number;
}

/** The contender has no way to do this task; the message says why and is shown in the results. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

/** What a contender's process says. */
export type Reply =
  | {
      readonly kind: 'ready';
      readonly runner: Runner;
      /** Of each output: its length and the values at `sampleIndices(length)`. */
      readonly outputs: Readonly<Record<string, Sample>>;
      /** Processor time since the process began. */
      readonly cpuMilliseconds: number;
    }
  | {
      readonly kind: 'ran';
      readonly milliseconds: number;
      /** Processor time that the process used meanwhile, of all its threads. */
      readonly cpuMilliseconds: number;
    }
  | { readonly kind: 'ended'; readonly peakResidentBytes: number; readonly peakGpuBytes?: number }
  | { readonly kind: 'failed'; readonly unsupported: boolean; readonly message: string };

export interface Sample {
  readonly length: number;
  readonly values: Float32Array;
}

/** What the parent says: do the task once; or say what memory was used and leave. */
export type Order = 'run' | 'end';
