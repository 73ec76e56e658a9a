/** Every element clipped to [-limit, limit]. */
export function clipByValueReference(g: ArrayLike<number>, limit: number): Float64Array {
  return Float64Array.from(g, (value) => Math.min(Math.max(value, -limit), limit));
}

/** The vector scaled so that its norm is at most `limit`. */
export function clipByNormReference(g: ArrayLike<number>, limit: number): Float64Array {
  const norm = Math.sqrt(Array.from(g).reduce((sum, value) => sum + value ** 2, 0));
  return Float64Array.from(g, (value) => (value * limit) / Math.max(norm, limit));
}
