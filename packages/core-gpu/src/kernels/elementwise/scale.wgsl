// y = factor * x, element by element.
//
//   x, y    count floats
//   thread  four elements as one vector; a line of workgroups folded over x and y
//   cost    1 FLOP, 8 bytes per element
//   needs   WORKGROUP

struct Params {
  count: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

// #include "../shared/store-vec4.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  store(i, params.factor * vec4f(x[i]));
}
