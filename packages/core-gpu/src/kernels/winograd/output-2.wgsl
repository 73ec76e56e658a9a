// Winograd F(2x2, 3x3), last of three passes: the 16 products of a tile become 2x2 outputs, A^T m A.
//
//     products[position 0 .. 15][tile][channel]  ->  2x2 pixels of y, + bias, + residual, relu
//
//   layout  see output-tile.wgsl
//   thread  one tile, four channels: 16 vec4f are loaded, transformed in registers, and 4 stored
//   cost    16/4 loads and one store for each element of y
//   needs   co, yStrideW and yOffset divisible by 4; WORKGROUP, HAS_BIAS, ADD_RESIDUAL, RELU

// #include "transforms-2.wgsl"
// #include "output-tile.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  transformTile((wid.y * nwg.x + wid.x) * WORKGROUP + lid);
}
