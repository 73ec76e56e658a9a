// Winograd F(4, 7), once for each version of the weights: the seven taps of a filter of a row or a column are
// transformed, G g.
//
//   kernel       (7, ci, co) dense
//   transformedKernel  (position, ci, co / 4): `positionStride` vec4f for each of the 10 positions
//   thread       one input channel, four output channels
//   needs        co divisible by 4; WORKGROUP

// #include "transforms-1d.wgsl"

struct Params {
  positionStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(2) var<storage, read_write> transformedKernel: array<TransformedKernel4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.positionStride) { return; }
  var taps: Taps;
  for (var k = 0u; k < TAPS; k++) { taps[k] = vec4f(kernel[k * params.positionStride + t]); }
  let values = kernelTransform(taps);
  for (var s = 0u; s < TILE_SIZE; s++) { transformedKernel[s * params.positionStride + t] = TransformedKernel4(values[s]); }
}
