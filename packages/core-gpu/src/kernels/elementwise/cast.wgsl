// y = x, from one storage type to another: float32 to the nearest float16, or float16 to the float32 that is the same.
//
//   x, y    count numbers, seen as vectors of four
//   thread  four neighbours
//
//           thread   0         1         2
//           element  0 1 2 3 | 4 5 6 7 | 8 9 ..
//
//   needs   WORKGROUP
//   cost    6 bytes per element

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

// #include "../shared/store-vec4.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  store(i, vec4f(x[i]));
}
