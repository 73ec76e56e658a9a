/**
 * A tensor with its axes in another order: axis i of the result is axis `order[i]` of `values`, as in numpy's
 * `transpose`.
 */
export function transpose(
  values: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const result = new Float32Array(values.length);
  let next = 0;
  const walk = (axis: number, offset: number): void => {
    const from = order[axis];
    if (from === undefined) {
      result[next++] = values[offset] ?? NaN;
      return;
    }
    const stride = strides[from] ?? 0;
    for (let i = 0; i < (shape[from] ?? 0); i++) walk(axis + 1, offset + i * stride);
  };
  walk(0, 0);
  return result;
}
