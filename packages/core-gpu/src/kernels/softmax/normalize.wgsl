// y = e^(x - rowMax of the row) / (1 + sumOfOthers of the row): the second half of softmax.
//
//   x, y           (rows, classes), here the count floats from element first on
//   rowMax, sumOfOthers  (rows) as statistics.wgsl wrote them, here rowCount floats from row rowFirst on
//   thread         one element; those whose row is in another binding slice do nothing
//   needs          WORKGROUP
//   cost           about 15 FLOP, 8 bytes per element

struct Params {
  count: u32,
  first: u32,
  rowFirst: u32,
  rowCount: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> rowMax: array<f32>;
@group(0) @binding(3) var<storage, read> sumOfOthers: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<Y>;

// #include "../shared/accurate-exp.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let row = (params.first + i) / params.classes - params.rowFirst;
  if (row >= params.rowCount) { return; }
  y[i] = Y(accurateExp(f32(x[i]) - rowMax[row]) / (1.0 + sumOfOthers[row]));
}
