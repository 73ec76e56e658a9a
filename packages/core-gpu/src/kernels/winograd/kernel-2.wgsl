// Winograd F(2x2, 3x3), once for each set of weights: 3x3 taps become 4x4 numbers, G g G^T.
//
//     kernel[3][3][ci][co]  ->  transformedKernel[position 0 .. 15][ci][co]
//
//   layout  see kernel-tile.wgsl
//   thread  one input channel, four output channels
//   cost    9 loads and 16 stores for each pair of channels
//   needs   co divisible by 4; WORKGROUP

// #include "transforms-2.wgsl"
// #include "kernel-tile.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  transformTaps((wid.y * nwg.x + wid.x) * WORKGROUP + lid);
}
