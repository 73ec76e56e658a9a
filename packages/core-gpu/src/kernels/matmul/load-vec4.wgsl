// Four neighbours along k of one row of op(a).
fn loadA(at: u32) -> vec4f {
  if (TRANSPOSE_A) {
    return vec4f(f32(a[at]), f32(a[at + params.aStrideRow]), f32(a[at + 2 * params.aStrideRow]), f32(a[at + 3 * params.aStrideRow]));
  }
  if (VEC_A) { return vec4f(a4[at / 4]); }
  return vec4f(f32(a[at]), f32(a[at + 1]), f32(a[at + 2]), f32(a[at + 3]));
}

// Four neighbouring columns of one row of op(b).
fn loadB(at: u32) -> vec4f {
  if (TRANSPOSE_B) {
    return vec4f(f32(b[at]), f32(b[at + params.bStrideRow]), f32(b[at + 2 * params.bStrideRow]), f32(b[at + 3 * params.bStrideRow]));
  }
  if (VEC_B) { return vec4f(b4[at / 4]); }
  return vec4f(f32(b[at]), f32(b[at + 1]), f32(b[at + 2]), f32(b[at + 3]));
}
