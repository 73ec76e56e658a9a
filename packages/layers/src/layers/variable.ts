import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import type { Regularizer } from '../regularizers/index.ts';
import { formatShape, sizeOf } from '../tensor/shape.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import type { Initializer } from './initializers.ts';
import { namedSeed } from './random.ts';

/**
 * A weight: a name, a shape, and values that live in exactly one place.
 *
 * Until a GPU first asks for them the values are an initializer (nothing is computed) or an array in main memory;
 * from then on they live on that GPU and the copy in main memory is dropped.
 */
export class Variable {
  /** `kernel` */
  readonly name: string;
  /** `block1_conv1/kernel` */
  readonly path: string;
  readonly shape: readonly number[];
  /** Whether training may change it by gradient. Layers set it through their `trainable`. */
  trainable: boolean;
  /** What its size adds to the loss while it is trainable. */
  regularizer: Regularizer | null = null;
  /** Grows with every change of the values, so that whatever was derived from them can be recognised as stale. */
  version = 0;
  #initializer: Initializer;
  #seed = 0;
  #assigned = false;
  #trained = false;
  #host: Float32Array | null = null;
  #device: Tensor | null = null;

  constructor(
    layer: string,
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    trainable: boolean,
  ) {
    this.name = name;
    this.path = `${layer}/${name}`;
    this.shape = shape;
    this.trainable = trainable;
    this.#initializer = initializer;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** The GPU where the values are, if they are on one. */
  get gpu(): Gpu | null {
    return this.#device?.gpu ?? null;
  }

  /** Whether values were given with `assign` (or changed by training) rather than drawn by the initializer. */
  get assigned(): boolean {
    return this.#assigned;
  }

  /** Whether training has changed the values. */
  get trained(): boolean {
    return this.#trained;
  }

  /**
   * Sets the values; the array is kept, not copied, until it has been uploaded. A wrong number of elements is
   * `weights/shape`.
   */
  assign(values: Float32Array): void {
    if (values.length !== this.size) {
      throw new ConvbaseError(
        'weights/shape',
        `${values.length} values were given for shape ${formatShape(this.shape)}, which needs ${this.size}`,
        { where: this.path, fix: 'Use weights that were made for this model.' },
      );
    }
    this.#assigned = true;
    this.version++;
    if (this.#device !== null) this.#device.gpu.write(this.#device.buffer, values);
    else this.#host = values;
  }

  /** Draws the values anew from the initializer with this seed; leaves values that were assigned alone. */
  reseed(seed: number): void {
    if (this.#assigned) return;
    this.#seed = seed;
    this.version++;
    this.#host = null;
    if (this.#device !== null) this.#device.gpu.write(this.#device.buffer, this.#initial());
  }

  /** A copy of the values, from wherever they are. */
  async read(): Promise<Float32Array> {
    if (this.#device !== null) return this.#device.data();
    return this.#host === null ? this.#initial() : this.#host.slice();
  }

  /**
   * The values on a GPU, uploaded on first use. The tensor belongs to the variable: share it, never dispose of it.
   * A variable that already lives on another GPU is `weights/other-gpu`.
   */
  tensor(gpu: Gpu): Tensor {
    if (this.#device === null) {
      this.checkRoom(gpu);
      this.#device = tensor(gpu, this.#host ?? this.#initial(), this.shape, this.path);
      this.#host = null;
    } else if (this.#device.gpu !== gpu) {
      throw new ConvbaseError('weights/other-gpu', 'the weight is on another GPU', {
        where: this.path,
        fix: 'Call `await model.toHost()` before using the model on a second GPU.',
      });
    }
    return this.#device;
  }

  /** Throws `memory/too-large` for a weight that has no place on this GPU, before anything is drawn or uploaded. */
  checkRoom({ limits, adapter }: Gpu): void {
    const bytes = Float32Array.BYTES_PER_ELEMENT * this.size;
    if (bytes <= limits.maxBufferSize) return;
    throw new ConvbaseError(
      'memory/too-large',
      `a weight of shape ${formatShape(this.shape)} takes ${bytes} bytes, ${adapter.name} allows ${limits.maxBufferSize}`,
      { where: this.path, fix: 'Make the layer smaller, or the input that it is built for.' },
    );
  }

  /** To be called after a kernel has changed the values in place. */
  changed(): void {
    this.#assigned = true;
    this.#trained = true;
    this.version++;
  }

  /** Moves the values back to main memory and frees the GPU's. */
  async toHost(): Promise<void> {
    if (this.#device === null) return;
    this.#host = await this.#device.data();
    this.#device.dispose();
    this.#device = null;
  }

  /** Frees the GPU's memory and forgets the values there; the next use starts from the initializer. */
  dispose(): void {
    this.#device?.dispose();
    this.#device = null;
    this.#host = null;
    this.#assigned = false;
    this.#trained = false;
    this.version++;
  }

  #initial(): Float32Array {
    try {
      return this.#initializer(this.shape, namedSeed(this.#seed, this.path));
    } catch (cause) {
      // What JavaScript says to an array that is too long or finds no room.
      if (!(cause instanceof RangeError)) throw cause;
      const bytes = Float32Array.BYTES_PER_ELEMENT * this.size;
      throw new ConvbaseError(
        'memory/exhausted',
        `no room for the ${bytes} bytes of a weight of shape ${formatShape(this.shape)}`,
        { where: this.path, fix: 'Make the layer smaller.', cause },
      );
    }
  }
}
