/** How labels become numbers: one column of 0 and 1 for two classes, or one column for each class. */
export type LabelEncoding = 'binary' | 'oneHot';

/** What Keras' generators would choose: `binary` for two classes, else `oneHot`. */
export function labelEncoding(classCount: number): LabelEncoding {
  return classCount === 2 ? 'binary' : 'oneHot';
}

/** Labels as a float32 array: `[n, 1]` (binary) or `[n, classCount]` (one-hot). */
export function encodeLabels(
  labels: ArrayLike<number>,
  classCount: number,
  encoding: LabelEncoding = labelEncoding(classCount),
): { data: Float32Array; shape: [number, number] } {
  const count = labels.length;
  if (encoding === 'binary') return { data: Float32Array.from(labels), shape: [count, 1] };
  const data = new Float32Array(count * classCount);
  for (let i = 0; i < count; i++) data[i * classCount + (labels[i] ?? 0)] = 1;
  return { data, shape: [count, classCount] };
}
