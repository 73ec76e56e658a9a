import type { MatmulShape } from './choose.ts';

/** op(a) op(b) (+ bias) (relu) in float64. */
export function matmulReference(
  shape: MatmulShape,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { bias, relu = false }: { bias?: ArrayLike<number>; relu?: boolean } = {},
): Float64Array {
  const { m, n, k, batch = 1, transposeA = false, transposeB = false } = shape;
  const c = new Float64Array(batch * m * n);
  for (let at = 0; at < c.length; at++) {
    const item = Math.floor(at / (m * n));
    const row = Math.floor(at / n) % m;
    const column = at % n;
    let sum = bias?.[column] ?? 0;
    for (let kk = 0; kk < k; kk++) {
      const left = a[item * m * k + (transposeA ? kk * m + row : row * k + kk)] ?? NaN;
      const right = b[item * k * n + (transposeB ? column * k + kk : kk * n + column)] ?? NaN;
      sum += left * right;
    }
    c[at] = relu ? Math.max(sum, 0) : sum;
  }
  return c;
}
