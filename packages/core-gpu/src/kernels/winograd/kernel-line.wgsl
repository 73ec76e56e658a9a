// Winograd F(4, 7), once for each version of the weights: the seven taps of a filter of a row or a column are
// transformed, G g.
//
//   kernel       (7, ci, co) dense
//   transformed  (position, ci, co / 4): `plane` vec4f for each of the 10 positions
//   thread       one input channel, four output channels
//   needs        co divisible by 4; WORKGROUP

// #include "transforms-line.wgsl"

struct Params {
  plane: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(2) var<storage, read_write> transformed: array<Factors4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.plane) { return; }
  var taps: Taps;
  for (var k = 0u; k < TAPS; k++) { taps[k] = vec4f(kernel[k * params.plane + t]); }
  let values = kernelTransform(taps);
  for (var s = 0u; s < SIZE; s++) { transformed[s * params.plane + t] = Factors4(values[s]); }
}
