import type { Convolution, ExtractTask, FirstResultTask, ForwardTask, TrainTask } from './protocol.ts';

/** Seeded floats in [-1, 1), alike everywhere (xorshift32, Marsaglia 2003). */
export function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state / 2 ** 31;
  }
  return values;
}

/** The pictures of a batch: (batch, size, size, 3) floats in [-1, 1). */
export function pictures({
  batch,
  size,
}: Pick<ForwardTask | ExtractTask | FirstResultTask, 'batch' | 'size'>): Float32Array<ArrayBuffer> {
  return noise(batch * size * size * 3, 1);
}

/** What a training task learns from: (steps * batch, ...input), and labels (steps * batch), 0 and 1 by turns. */
export function examples(task: TrainTask): {
  x: Float32Array<ArrayBuffer>;
  labels: Float32Array<ArrayBuffer>;
} {
  const count = task.steps * task.batch;
  const x = noise(
    task.input.reduce((product, extent) => product * extent, count),
    2,
  );
  if (task.inputKind === 'features') x.forEach((value, i) => (x[i] = (value + 1) / 2));
  return { x, labels: Float32Array.from({ length: count }, (_, i) => i % 2) };
}

/** Height and width that a convolution gives. */
export function outputSize({ h, w, kh, kw, strides, padding }: Convolution): { oh: number; ow: number } {
  const extent = (n: number, k: number, s: number): number =>
    padding === 'same' ? Math.ceil(n / s) : Math.floor((n - k) / s) + 1;
  return { oh: extent(h, kh, strides[0]), ow: extent(w, kw, strides[1]) };
}

/** A convolution's operands: x (n, h, w, ci), kernel (kh, kw, ci, co), dy (n, oh, ow, co). */
export function operands(c: Convolution): Record<'x' | 'kernel' | 'dy', Float32Array<ArrayBuffer>> {
  const { oh, ow } = outputSize(c);
  return {
    x: noise(c.n * c.h * c.w * c.ci, 3),
    kernel: noise(c.kh * c.kw * c.ci * c.co, 4),
    dy: noise(c.n * oh * ow * c.co, 5),
  };
}
