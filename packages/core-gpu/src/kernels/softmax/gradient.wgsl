// dx = y * (dy - dot of the row): the second half of the gradient of softmax.
//
//   y, dy, dx  (rows, classes), here the count floats from element first on
//   dot        (rows) as gradient-dot.wgsl wrote it, here rowCount floats from row rowFirst on
//   thread     one element; those whose row is in another binding slice do nothing
//   needs      WORKGROUP
//   cost       2 FLOP, 12 bytes per element

struct Params {
  count: u32,
  first: u32,
  rowFirst: u32,
  rowCount: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<Y>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read> rowDot: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<Dx>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let row = (params.first + i) / params.classes - params.rowFirst;
  if (row >= params.rowCount) { return; }
  dx[i] = Dx(f32(y[i]) * (f32(dy[i]) - rowDot[row]));
}
