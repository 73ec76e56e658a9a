import type { RowsShape } from '../row-reductions.ts';

/** Softmax of every row in float64. */
export function softmax({ rows, classes }: RowsShape, x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(rows * classes);
  for (let r = 0; r < rows; r++) {
    const row = Array.from({ length: classes }, (_, k) => x[r * classes + k] ?? NaN);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const powers = row.map((v) => Math.exp(v - largest));
    const sum = powers.reduce((a, b) => a + b);
    y.set(
      powers.map((p) => p / sum),
      r * classes,
    );
  }
  return y;
}

/** `dx = J^T dy` in float64, with the whole Jacobian `dy_j / dx_k = y_j ((j == k) - y_k)` written out. */
export function softmaxGradient(
  { rows, classes }: RowsShape,
  y: ArrayLike<number>,
  dy: ArrayLike<number>,
): Float64Array {
  const at = (values: ArrayLike<number>, r: number, k: number) => values[r * classes + k] ?? NaN;
  const dx = new Float64Array(rows * classes);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < classes; k++) {
      let sum = 0;
      for (let j = 0; j < classes; j++) sum += at(dy, r, j) * at(y, r, j) * ((j === k ? 1 : 0) - at(y, r, k));
      dx[r * classes + k] = sum;
    }
  return dx;
}
