// y[row, k] = 1 where k is the row's class, else 0. A class that is not there gives a row of zeros.
//
//   indices  (rows), here the rowCount words from rowFirst on
//   y        (rows, classes), here the count floats from element yFirst on
//   thread   one element of y; those whose index is in another binding slice do nothing
//   needs    WORKGROUP
//   cost     4 bytes per element of y

struct Params {
  count: u32,
  yFirst: u32,
  rowFirst: u32,
  rowCount: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.yFirst + i;
  let row = index / params.classes - params.rowFirst;
  if (row >= params.rowCount) { return; }
  y[i] = select(0.0, 1.0, indices[row] == index % params.classes);
}
