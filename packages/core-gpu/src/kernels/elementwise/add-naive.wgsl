// y = a + b, one element for each thread: the first rung of the ladder, nothing else uses it.
//
//   a, b, y  count floats
//   thread   one element; a line of workgroups folded over x and y
//   needs    WORKGROUP
//   cost     1 FLOP, 12 bytes per element

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  y[i] = a[i] + b[i];
}
