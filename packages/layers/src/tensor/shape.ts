/** A dimension of a symbolic shape; `null` is any size, known only once a real tensor arrives. */
export type Dimension = number | null;

/** A shape whose first dimension (the batch) and possibly others are still open. */
export type Shape = readonly Dimension[];

/** The number of elements of a known shape. The empty shape is a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

/** The shape as Keras prints it: `(None, 150, 150, 3)`, `(None,)`. */
export function formatShape(shape: Shape): string {
  const parts = shape.map((dimension) => (dimension === null ? 'None' : String(dimension)));
  return parts.length === 1 ? `(${parts[0] ?? ''},)` : `(${parts.join(', ')})`;
}

/** Whether a tensor of shape `actual` may stand where `expected` was declared (open dimensions match anything). */
export function shapeMatches(actual: Shape, expected: Shape): boolean {
  return (
    actual.length === expected.length &&
    expected.every(
      (dimension, axis) => dimension === null || actual[axis] === null || actual[axis] === dimension,
    )
  );
}

/** The dimension at `axis`; negative axes count from the end. Throws a `RangeError` when there is none. */
export function dimensionAt<D extends Dimension>(shape: readonly D[], axis: number): D {
  const dimension = shape.at(axis);
  if (dimension === undefined) throw new RangeError(`no axis ${axis} in shape ${formatShape(shape)}`);
  return dimension;
}
