// A 4 x 4 block of op(b): column j of the matrix is row kk + j of op(b), from 'column' on.
fn loadB(start: u32, kk: u32, column: u32) -> mat4x4f {
  if (TRANSPOSE_B) {
    let at = start + column * params.bStrideRow + kk;
    return transpose(mat4x4f(
      loadB4(at),
      loadB4(at + params.bStrideRow),
      loadB4(at + 2 * params.bStrideRow),
      loadB4(at + 3 * params.bStrideRow),
    ));
  }
  let at = start + kk * params.bStrideRow + column;
  return mat4x4f(
    loadB4(at),
    loadB4(at + params.bStrideRow),
    loadB4(at + 2 * params.bStrideRow),
    loadB4(at + 3 * params.bStrideRow),
  );
}

fn loadB4(at: u32) -> vec4f {
  if (VEC_B) { return vec4f(b4[at / 4]); }
  return vec4f(f32(b[at]), f32(b[at + 1]), f32(b[at + 2]), f32(b[at + 3]));
}

// One row of four columns of op(b), for what is left of k.
fn loadOneB(start: u32, kk: u32, column: u32) -> vec4f {
  let next = select(1u, params.bStrideRow, TRANSPOSE_B);
  let at = start + select(kk * params.bStrideRow + column, column * params.bStrideRow + kk, TRANSPOSE_B);
  return vec4f(f32(b[at]), f32(b[at + next]), f32(b[at + 2 * next]), f32(b[at + 3 * next]));
}
