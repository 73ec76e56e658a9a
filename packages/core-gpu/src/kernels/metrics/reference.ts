import type { RowsShape } from '../row-reductions.ts';

/** Where each row is largest, first of equals. */
export function argmax({ rows, classes }: RowsShape, x: ArrayLike<number>): number[] {
  return Array.from({ length: rows }, (_, r) => {
    const row = Array.from({ length: classes }, (_, k) => x[r * classes + k] ?? NaN);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  });
}

/** Rows whose largest prediction is at their largest label. */
export function categoricalCorrect(
  shape: RowsShape,
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
): number {
  const actual = argmax(shape, labels);
  return argmax(shape, predictions).filter((k, r) => k === actual[r]).length;
}

/** Predictions on the right side of the threshold. */
export function binaryCorrect(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
): number {
  return Array.from(predictions).filter((p, i) => (p > threshold ? 1 : 0) === labels[i]).length;
}
