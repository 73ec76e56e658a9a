// Sets every element of y to one value.
//
//   y      count floats
//   thread four elements as one vector; a line of workgroups folded over x and y
//   cost   0 FLOP, 4 * count bytes written
//   needs  WORKGROUP

struct Params {
  count: u32,
  value: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<Y4>;

// #include "../shared/store-vec4.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  store(i, vec4f(params.value));
}
