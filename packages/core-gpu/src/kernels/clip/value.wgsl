// Clips every element of g to [-limit, limit], in place.
//
//   g       count floats
//   thread  four elements as one vector; a line of workgroups folded over x and y
//   cost    2 FLOP and 8 bytes an element
//   needs   WORKGROUP

struct Params {
  count: u32,
  limit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  g[i] = clamp(g[i], vec4f(-params.limit), vec4f(params.limit));
}
