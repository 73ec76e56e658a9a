// Four neighbours of one row of c. Tiles may reach past the edges of c: what lies there was computed from whatever
// memory holds, and is not stored.
fn store(start: u32, row: u32, column: u32, product: vec4f) {
  if (row >= params.m || column >= params.n) { return; }
  let at = start + row * params.cStrideRow + column;
  var value = product;
  if (ACCUMULATE) { value += vec4f(f32(c[at]), f32(c[at + 1]), f32(c[at + 2]), f32(c[at + 3])); }
  if (HAS_BIAS) {
    let first = params.biasOffset + column;
    value += vec4f(bias[first], bias[first + 1], bias[first + 2], bias[first + 3]);
  }
  if (RELU) { value = select(value, vec4f(), value < vec4f()); } // lets NaN through, unlike max
  c[at] = C(value.x);
  if (WHOLE_N || column + 1 < params.n) { c[at + 1] = C(value.y); }
  if (WHOLE_N || column + 2 < params.n) { c[at + 2] = C(value.z); }
  if (WHOLE_N || column + 3 < params.n) { c[at + 3] = C(value.w); }
}
