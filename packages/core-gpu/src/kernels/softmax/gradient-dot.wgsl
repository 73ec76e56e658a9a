// rowDot[row] = sum over the row of y * dy: what the elements of a softmax row share in its gradient.
//
//   y, dy    (rows, classes), here the xCount floats from element xFirst on
//   dot      (rows), here rowCount floats from row rowFirst on
//   threads  LANES for each row, ROWS rows for each workgroup, as in statistics.wgsl
//   shared   4 * LANES * ROWS bytes
//   needs    LANES a power of two, ROWS; SPLIT when y comes in several binding slices: then dot holds the sum over those
//            before this one, except when `isFirst` is 1
//   cost     2 FLOP, 8 bytes per element

struct Params {
  rowFirst: u32,
  rowCount: u32,
  xFirst: u32,
  xCount: u32,
  classes: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read_write> rowDot: array<f32>;

var<workgroup> partial: array<f32, LANES * ROWS>;

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % LANES;
  let i = (wid.y * nwg.x + wid.x) * ROWS + lid / LANES;
  let row = params.rowFirst + i;
  // The part of the row that lies in this binding slice; empty for threads past the last row.
  let begin = max(row * params.classes, params.xFirst);
  let end = select(0u, min((row + 1u) * params.classes, params.xFirst + params.xCount), i < params.rowCount);

  var sum = 0.0;
  for (var j = begin + lane; j < end; j += LANES) {
    sum += f32(y[j - params.xFirst]) * f32(dy[j - params.xFirst]);
  }

  // Halve the lanes until one is left; with LANES 1 there is nothing to do.
  partial[lid] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lid] += partial[lid + half]; }
  }

  if (lane == 0u && i < params.rowCount) {
    rowDot[i] = partial[lid] + select(rowDot[i], 0.0, !SPLIT || params.isFirst == 1u);
  }
}
