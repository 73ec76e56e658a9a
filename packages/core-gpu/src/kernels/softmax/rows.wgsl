// Softmax of whole rows in one go: y = e^(x - rowMax) / sum of e^(x - rowMax).
//
//   x, y     (rows, classes)
//   threads  LANES for each row, ROWS rows for each workgroup, in three sweeps over the row: the largest element, the
//            sum of powers, the results. After the first two, lanes join pairwise in shared memory
//
//            row   x x x x x x x x x x       LANES 4: lane 0 takes 0 4 8, lane 1 takes 1 5 9, ..
//            lane  0 1 2 3 0 1 2 3 0 1       so that neighbours read neighbours
//
//   shared   4 * LANES * ROWS bytes
//   needs    LANES a power of two, ROWS; x and y in one binding each
//   cost     about 30 FLOP, 16 bytes per element

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

var<workgroup> partial: array<f32, LANES * ROWS>;

// #include "../shared/accurate-exp.wgsl"

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % LANES;
  let row = (wid.y * nwg.x + wid.x) * ROWS + lid / LANES;
  let begin = row * params.classes;
  // Empty for threads past the last row, which still have to come to every barrier.
  let end = select(begin, begin + params.classes, row < params.rows);

  var rowMax = -3.40282346e38;
  for (var i = begin + lane; i < end; i += LANES) { rowMax = max(rowMax, f32(x[i])); }
  if (LANES > 1u) {
    partial[lid] = rowMax;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half) { partial[lid] = max(partial[lid], partial[lid + half]); }
    }
    workgroupBarrier();
    rowMax = partial[lid - lane];
    workgroupBarrier();
  }

  var sum = 0.0;
  for (var i = begin + lane; i < end; i += LANES) { sum += accurateExp(f32(x[i]) - rowMax); }
  if (LANES > 1u) {
    partial[lid] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half) { partial[lid] += partial[lid + half]; }
    }
    workgroupBarrier();
    sum = partial[lid - lane];
  }

  for (var i = begin + lane; i < end; i += LANES) { y[i] = Y(accurateExp(f32(x[i]) - rowMax) / sum); }
}
