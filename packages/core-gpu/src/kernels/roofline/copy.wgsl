// y = x, to see how many bytes a second go through a kernel.
//
//   x, y    count floats, a multiple of four
//   thread  one vector; neighbours take neighbouring ones; a line of workgroups folded over x and y
//   cost    32 bytes a vector, no arithmetic
//   needs   WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  y[i] = x[i];
}
