// Winograd F(3x3, 3x3), once for each set of weights: 3x3 taps become 5x5 numbers, G g G^T.
//
//     kernel[3][3][ci][co]  ->  transformedKernel[position 0 .. 24][ci][co]
//
//   layout  see kernel-tile.wgsl
//   thread  one input channel, four output channels
//   cost    9 loads and 25 stores for each pair of channels
//   needs   co divisible by 4; WORKGROUP

// #include "transforms-3.wgsl"
// #include "kernel-tile.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  transformTaps((wid.y * nwg.x + wid.x) * WORKGROUP + lid);
}
