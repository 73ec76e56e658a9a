/** Column sums of a [rows, columns] matrix in float64. */
export function columnSumReference(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const y = new Float64Array(columns);
  for (let i = 0; i < rows * columns; i++) y[i % columns] = (y[i % columns] ?? 0) + (x[i] ?? NaN);
  return y;
}

/** Sum of squares in float64. */
export function sumOfSquaresReference(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] ?? NaN) ** 2;
  return sum;
}
