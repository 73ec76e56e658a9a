type Numbers = ArrayLike<number>;

/** `a + b` in float64. */
export function add(a: Numbers, b: Numbers): Float64Array {
  return Float64Array.from(a, (v, i) => v + (b[i] ?? NaN));
}

/** `a * b` in float64. */
export function multiply(a: Numbers, b: Numbers): Float64Array {
  return Float64Array.from(a, (v, i) => v * (b[i] ?? NaN));
}

/** `factor * x` in float64. */
export function scale(x: Numbers, factor: number): Float64Array {
  return Float64Array.from(x, (v) => factor * v);
}
