// Scales g by limit / max(norm, limit), in place: vectors longer than limit get the length limit.
//
//   g             count floats
//   sumOfSquares  1 float, the squared norm: of g alone, or of all gradients for clipping by global norm
//   thread        four elements as one vector; a line of workgroups folded over x and y
//   cost          2 FLOP and 8 bytes an element
//   needs         WORKGROUP

struct Params {
  count: u32,
  limit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;
@group(0) @binding(2) var<storage, read> sumOfSquares: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  g[i] = g[i] * params.limit / max(sqrt(sumOfSquares[0]), params.limit);
}
