import { ConvbaseError } from '@convbase/base';
import { crc32 } from './crc32.ts';

/**
 * Weights that need no file: a pure function of the tensor's name and shape, alike everywhere.
 *
 * Value `i` is `u * scale` with `u = 2 * (h >>> 8) / 2^24 - 1` (so exactly representable in float32, in [-1, 1)) and
 * `h = lowbias32(crc32(name) + i)`. Kernels are scaled by `sqrt(6 / fanIn)`, He's uniform bound, where `fanIn` is
 * kh * kw * ci or the inputs of a dense layer; biases by 0.05. The product is rounded to float32.
 *
 * @param name `<layer>/kernel` or `<layer>/bias`
 * @param shape (kh, kw, ci, co) or (inputs, units) for a kernel, (channels) for a bias
 * @throws ConvbaseError `weights/hash-name` for other names, `weights/shape` for a kernel of another rank
 */
export function hashWeights(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const scale = Math.fround(hashScale(name, shape));
  const seed = crc32(new TextEncoder().encode(name));
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < values.length; i++) {
    const h = lowbias32((seed + i) | 0);
    values[i] = ((h >>> 8) * 2 ** -23 - 1) * scale;
  }
  return values;
}

function hashScale(name: string, shape: readonly number[]): number {
  const role = name.slice(name.lastIndexOf('/') + 1);
  if (role === 'bias') return 0.05;
  if (role !== 'kernel') {
    throw new ConvbaseError('weights/hash-name', 'hash weights are defined for kernels and biases only', {
      where: name,
    });
  }
  if (shape.length !== 2 && shape.length !== 4) {
    throw new ConvbaseError('weights/shape', `a kernel has 2 or 4 dimensions, not [${shape.join(', ')}]`, {
      where: name,
    });
  }
  return Math.sqrt(6 / shape.slice(0, -1).reduce((product, extent) => product * extent, 1));
}

/** A 32-bit integer mixer with little bias (Chris Wellons' hash prospector). */
function lowbias32(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x;
}
