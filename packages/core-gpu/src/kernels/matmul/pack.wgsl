// Copies an operand of a matrix product into panels, in the order in which outer-product.wgsl reads it.
//
//   source   a batch of matrices, `lines` lines of k numbers: [lines, k], or [k, lines] where K_MAJOR; rows
//            sourceStrideRow floats apart, matrices sourceStrideBatch, from sourceOffset on
//   packed   [batch, panels, k, WIDTH]: panel p holds lines p * WIDTH .. of the source, and zeros past the last
//   thread   four lines at four steps of k, which are transposed on the way (unless they are K_MAJOR); steps run
//            fastest, so that neighbours read neighbouring memory. A line of workgroups folded over x and y.
//   cost     8 bytes for each number
//   needs    WORKGROUP, WIDTH (a multiple of 4), K_MAJOR, VEC (rows of the source and its offset are multiples of 4
//            floats, and so is what lies along them: k or lines)

struct Params {
  lines: u32,
  k: u32,
  panels: u32,
  threads: u32,
  sourceOffset: u32,
  sourceStrideRow: u32,
  sourceStrideBatch: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<Source>;
@group(0) @binding(2) var<storage, read> source4: array<Source4>;
@group(0) @binding(3) var<storage, read_write> packed: array<vec4f>;

fn one(start: u32, line: u32, kk: u32) -> f32 {
  if (line >= params.lines || kk >= params.k) { return 0; }
  return f32(source[start + select(line * params.sourceStrideRow + kk, kk * params.sourceStrideRow + line, K_MAJOR)]);
}

// Four neighbours of a row of the source, zeros where it has none: along k, or along the lines where it is K_MAJOR.
fn four(start: u32, line: u32, kk: u32) -> vec4f {
  if (VEC) {
    let at = start + select(line * params.sourceStrideRow + kk, kk * params.sourceStrideRow + line, K_MAJOR);
    return select(vec4f(), vec4f(source4[at / 4]), line < params.lines && kk < params.k);
  }
  if (K_MAJOR) {
    return vec4f(one(start, line, kk), one(start, line + 1, kk), one(start, line + 2, kk), one(start, line + 3, kk));
  }
  return vec4f(one(start, line, kk), one(start, line, kk + 1), one(start, line, kk + 2), one(start, line, kk + 3));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.threads) { return; }
  let steps = (params.k + 3) / 4;
  let kk = i % steps * 4;
  let rest = i / steps;
  let across = rest % (WIDTH / 4) * 4;
  let panel = rest / (WIDTH / 4) % params.panels;
  let item = rest / (WIDTH / 4) / params.panels;
  let line = panel * WIDTH + across;
  let start = params.sourceOffset + item * params.sourceStrideBatch;

  var block: mat4x4f; // column j: four lines at step kk + j
  if (K_MAJOR) {
    block = mat4x4f(
      four(start, line, kk), four(start, line, kk + 1), four(start, line, kk + 2), four(start, line, kk + 3));
  } else {
    block = transpose(mat4x4f(
      four(start, line, kk), four(start, line + 1, kk), four(start, line + 2, kk), four(start, line + 3, kk)));
  }
  let at = (((item * params.panels + panel) * params.k + kk) * WIDTH + across) / 4;
  packed[at] = block[0];
  if (kk + 1 < params.k) { packed[at + WIDTH / 4] = block[1]; }
  if (kk + 2 < params.k) { packed[at + 2 * (WIDTH / 4)] = block[2]; }
  if (kk + 3 < params.k) { packed[at + 3 * (WIDTH / 4)] = block[3]; }
}
