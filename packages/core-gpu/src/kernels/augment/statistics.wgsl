// The smallest value, the largest and the mean of each channel of each image.
//
//   x           (images, pixels, c) floats from element xFirst on
//   statistics  (images, c) of (smallest, largest, mean, 0), those of this dispatch from image imageFirst on
//   workgroup   one channel (grid x) of one image (grid z); each thread takes every WORKGROUP-th pixel, then the
//               threads' results are joined in pairs:
//
//                 thread  0 1 2 3 4 5 6 7
//                         0 1 2 3          with 4 5 6 7
//                         0 1              with 2 3
//                         0                with 1
//
//   needs       WORKGROUP, a power of two; 16 * WORKGROUP bytes of shared memory
//   cost        3 FLOP, 4 bytes per element

struct Params {
  pixels: u32,
  c: u32,
  xFirst: u32,
  imageFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;

var<workgroup> partial: array<vec4f, WORKGROUP>;

fn join(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(min(a.x, b.x), max(a.y, b.y), a.z + b.z, 0.0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
  let image = params.imageFirst + wid.z;
  let first = params.xFirst + wid.z * params.pixels * params.c + wid.x;
  // Threads without a pixel of their own begin with the first, which changes neither end of the range.
  var mine = vec4f(vec2f(x[first]), 0.0, 0.0);
  for (var i = lid; i < params.pixels; i += WORKGROUP) {
    mine = join(mine, vec4f(x[first + i * params.c]));
  }
  partial[lid] = mine;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid < half) { partial[lid] = join(partial[lid], partial[lid + half]); }
  }
  if (lid == 0u) {
    let all = partial[0];
    statistics[image * params.c + wid.x] = vec4f(all.xy, all.z / f32(params.pixels), 0.0);
  }
}
