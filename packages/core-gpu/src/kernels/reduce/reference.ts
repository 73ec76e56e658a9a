/** Column sums of a [rows, columns] matrix in float64. */
export function columnSumReference(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const y = new Float64Array(columns);
  for (let i = 0; i < rows * columns; i++) y[i % columns] = (y[i % columns] ?? 0) + (x[i] ?? NaN);
  return y;
}

/** Sum of squares in float64. */
export function sumOfSquaresReference(x: ArrayLike<number>): number {
  return Array.from(x).reduce((sum, value) => sum + value ** 2, 0);
}
