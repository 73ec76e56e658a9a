// g = g * scale, in place: the gradient of the loss, from which all others follow.
//
//   g       count floats
//   state   [scale, ..], see update.wgsl
//   thread  four elements as one vector; a line of workgroups folded over x and y
//   cost    1 FLOP and 8 bytes an element
//   needs   WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;
@group(0) @binding(2) var<storage, read> state: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  g[i] = g[i] * state[0];
}
