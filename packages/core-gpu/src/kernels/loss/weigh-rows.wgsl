// x = weight * x in place, one weight for each row: what a sample's loss, or its gradient, counts.
//
//   x        (rows, classes), here the count floats from element first on
//   weights  (rows), here rowCount floats from row rowFirst on
//   thread   one element; those whose row is in another binding slice do nothing
//   needs    WORKGROUP
//   cost     1 FLOP, 8 bytes per element; 4 bytes per row

struct Params {
  count: u32,
  first: u32,
  rowFirst: u32,
  rowCount: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let row = (params.first + i) / params.classes - params.rowFirst;
  if (row >= params.rowCount) { return; }
  x[i] *= weights[row];
}
