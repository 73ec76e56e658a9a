import type { RowsShape } from '../row-reductions.ts';

/** log(sum of e^z) - z_k for every k of a row, in float64 and to full precision where it is tiny. */
function negativeLogSoftmax(row: readonly number[]): number[] {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const first = row.indexOf(largest);
  const rest = row.reduce((sum, z, k) => (k === first ? sum : sum + Math.exp(z - largest)), 0);
  return row.map((z) => largest - z + Math.log1p(rest));
}

function rowsOf({ rows, classes }: RowsShape, values: ArrayLike<number>): number[][] {
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: classes }, (_, k) => values[r * classes + k] ?? NaN),
  );
}

/** Categorical cross-entropy of softmax(logits), one for each row, in float64. */
export function softmaxCrossEntropy(
  shape: RowsShape,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
): Float64Array {
  const labelRows = rowsOf(shape, labels);
  return Float64Array.from(rowsOf(shape, logits), (row, r) =>
    negativeLogSoftmax(row).reduce((sum, v, k) => sum + (labelRows[r]?.[k] ?? NaN) * v, 0),
  );
}

/** scale * (softmax(logits) - labels) in float64; for label 1, p - 1 is taken without cancelling. */
export function softmaxCrossEntropyGradient(
  shape: RowsShape & { readonly scale: number },
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
): Float64Array {
  const negativeLogs = rowsOf(shape, logits).flatMap(negativeLogSoftmax);
  return Float64Array.from(negativeLogs, (v, i) => {
    const label = labels[i] ?? NaN;
    return shape.scale * (label === 1 ? Math.expm1(-v) : Math.exp(-v) - label);
  });
}

/** Binary cross-entropy of sigmoid(logits), the mean over each row, in float64. */
export function sigmoidCrossEntropy(
  shape: RowsShape,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
): Float64Array {
  const losses = Float64Array.from(logits, (z, i) => {
    const label = labels[i] ?? NaN;
    // -label log p - (1 - label) log(1 - p)
    return label * softplus(-z) + (1 - label) * softplus(z);
  });
  return Float64Array.from(rowsOf(shape, losses), (row) => row.reduce((a, b) => a + b) / shape.classes);
}

/** log(1 + e^z) */
function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/** scale / classes * (sigmoid(logits) - labels) in float64. */
export function sigmoidCrossEntropyGradient(
  { classes, scale }: RowsShape & { readonly scale: number },
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(logits, (z, i) => {
    const label = labels[i] ?? NaN;
    return (scale / classes) * ((1 - label) / (1 + Math.exp(-z)) - label / (1 + Math.exp(z)));
  });
}

/** Each row times its weight, in float64. */
export function weighRows(shape: RowsShape, x: ArrayLike<number>, weights: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value, i) => value * (weights[Math.floor(i / shape.classes)] ?? NaN));
}
