import { ConvbaseError } from '@convbase/base';
import type { Gpu, GpuBuffer } from '@convbase/core-gpu';
import { formatShape, sizeOf } from './shape.ts';

export type FloatType = 'float32' | 'float16';

export type DType = FloatType | 'uint8' | 'int32';

/** A buffer and how many tensors look at it; the last one to go gives it back to the pool. */
interface Storage {
  readonly buffer: GpuBuffer;
  references: number;
}

const elementBytes: Record<DType, number> = { float32: 4, float16: 2, uint8: 1, int32: 4 };

/**
 * A shaped view of a buffer on one GPU.
 *
 * Lifetime is explicit: whoever receives a tensor from a function owns it and calls `dispose()` (or lets a `Scope` do
 * so). `share()` and `reshape()` make further tensors over the same buffer, which lives until the last is disposed.
 * Work is only recorded until `gpu.flush()`; disposing straight after recording a tensor's last use is right.
 */
export class Tensor {
  readonly gpu: Gpu;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly #storage: Storage;
  #alive = true;

  /** For `empty`, `tensor` and the views below; `storage` must already count this tensor. */
  private constructor(gpu: Gpu, shape: readonly number[], dtype: DType, storage: Storage) {
    this.gpu = gpu;
    this.shape = shape;
    this.dtype = dtype;
    this.#storage = storage;
  }

  /** A tensor with undefined contents, for a kernel to write. `label` names the buffer in debug output. */
  static empty(gpu: Gpu, shape: readonly number[], label: string, dtype: DType = 'float32'): Tensor {
    const options = { float16: dtype === 'float16' };
    const buffer = gpu.createBuffer(sizeOf(shape) * elementBytes[dtype], label, options);
    return new Tensor(gpu, shape, dtype, { buffer, references: 1 });
  }

  /** A tensor with these contents, which fit the shape; see `tensor`. */
  static filled(
    gpu: Gpu,
    data: Float32Array | Uint8Array | Int32Array,
    shape: readonly number[],
    label: string,
  ): Tensor {
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'int32';
    return new Tensor(gpu, shape, dtype, { buffer: gpu.createFilled(data, label), references: 1 });
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** The buffer to bind; an error after `dispose()`. */
  get buffer(): GpuBuffer {
    if (!this.#alive) this.#failDisposed();
    return this.#storage.buffer;
  }

  get disposed(): boolean {
    return !this.#alive;
  }

  /** Whether no other tensor looks at the same buffer, so that writing in place disturbs nobody. */
  get exclusive(): boolean {
    return this.#storage.references === 1;
  }

  /** Another tensor over the same buffer, with a lifetime of its own. */
  share(): Tensor {
    return this.reshape(this.shape);
  }

  /** The same values in another shape, without a copy. */
  reshape(shape: readonly number[]): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new ConvbaseError(
        'tensor/reshape',
        `${formatShape(this.shape)} cannot be seen as ${formatShape(shape)}: ${this.size} against ${sizeOf(shape)} elements`,
      );
    }
    if (this.disposed) this.#failDisposed();
    this.#storage.references++;
    return new Tensor(this.gpu, shape, this.dtype, this.#storage);
  }

  /** Gives up this view; the buffer goes back to the pool with the last one. Doing it twice is harmless. */
  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#storage.references--;
    if (this.#storage.references === 0) this.gpu.releaseBuffer(this.#storage.buffer);
  }

  /** Reads a float32 tensor back; everything recorded so far is submitted first. */
  async data(): Promise<Float32Array> {
    const [values] = await readTensors([this]);
    return values ?? new Float32Array(0);
  }

  #failDisposed(): never {
    const shape = formatShape(this.shape);
    throw new ConvbaseError('tensor/disposed', `a tensor of shape ${shape} was used after dispose()`, {
      fix: 'Keep it with share(), or dispose of it after its last use.',
    });
  }
}

/**
 * Reads float32 tensors of one GPU back with a single submit. The copies are recorded when this returns its promise, so
 * the tensors may be disposed of without waiting for it.
 */
export async function readTensors(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  const [first] = tensors;
  if (first === undefined) return [];
  const stretches = tensors.map(({ dtype, buffer, size }) => {
    if (dtype === 'float32') return { buffer, bytes: 4 * size };
    throw new ConvbaseError('tensor/dtype', `data() reads float32 tensors, this one is ${dtype}`);
  });
  const arrays = await first.gpu.readAll(stretches);
  return arrays.map((array) => new Float32Array(array));
}

/** A tensor with the given values: `Float32Array` is float32, `Uint8Array` uint8, `Int32Array` int32. */
export function tensor(
  gpu: Gpu,
  data: Float32Array | Uint8Array | Int32Array,
  shape: readonly number[],
  label = 'tensor',
): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new ConvbaseError(
      'array/shape',
      `${data.length} values do not fill the shape ${formatShape(shape)}`,
      {
        where: label,
        fix: `The shape needs ${sizeOf(shape)} values.`,
      },
    );
  }
  return Tensor.filled(gpu, data, shape, label);
}
