import type { MatmulShape } from './choose.ts';

/** op(a) op(b) (+ bias) (relu) in float64. */
export function matmulReference(
  shape: MatmulShape,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { bias, relu = false }: { bias?: ArrayLike<number>; relu?: boolean } = {},
): Float64Array {
  const { m, n, batch = 1 } = shape;
  return Float64Array.from({ length: batch * m * n }, (_, at) => {
    const sum = (bias?.[at % n] ?? 0) + matmulAt(shape, a, b, at);
    return relu ? Math.max(sum, 0) : sum;
  });
}

/** One element of op(a) op(b), by its index in c. */
export function matmulAt(
  { m, n, k, transposeA = false, transposeB = false }: MatmulShape,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  index: number,
): number {
  const item = Math.floor(index / (m * n));
  const row = Math.floor(index / n) % m;
  const column = index % n;
  let sum = 0;
  for (let kk = 0; kk < k; kk++) {
    const left = a[item * m * k + (transposeA ? kk * m + row : row * k + kk)] ?? NaN;
    const right = b[item * k * n + (transposeB ? column * k + kk : kk * n + column)] ?? NaN;
    sum += left * right;
  }
  return sum;
}
