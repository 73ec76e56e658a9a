const BUCKETS = 30;

/**
 * What `tf.summary.histogram` makes of values: 30 buckets of equal width from the least to the largest, each as
 * `[left edge, right edge, count]`. If all values are equal, the last bucket holds them all and no bucket has a width.
 * What is not finite is left out.
 *
 * Source: tensorboard/plugins/histogram/summary_v2.py.
 */
export function histogram(values: Float32Array): Float64Array {
  const rows = new Float64Array(BUCKETS * 3);
  const finite = values.every(Number.isFinite) ? values : values.filter(Number.isFinite);
  if (finite.length === 0) return rows;
  let least = Infinity;
  let largest = -Infinity;
  for (const value of finite) {
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  const width = (largest - least) / BUCKETS;
  const counts = new Float64Array(BUCKETS);
  for (const value of finite) {
    const bucket = width === 0 ? BUCKETS - 1 : Math.min(Math.floor((value - least) / width), BUCKETS - 1);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const edge = (index: number): number => (index === BUCKETS ? largest : least + index * width);
  counts.forEach((count, index) => rows.set([edge(index), edge(index + 1), count], index * 3));
  return rows;
}
