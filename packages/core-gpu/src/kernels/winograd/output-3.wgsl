// Winograd F(3x3, 3x3), last of three passes: the 25 products of a tile become 3x3 outputs, A^T m A.
//
//     products[position 0 .. 24][tile][channel]  ->  3x3 pixels of y, + bias, + residual, relu
//
//   layout  see output-tile.wgsl
//   thread  one tile, four channels: 25 vec4f are loaded, transformed in registers, and 9 stored
//   cost    25/9 loads and one store for each element of y
//   needs   co, yStrideW and yOffset divisible by 4; WORKGROUP, HAS_BIAS, ADD_RESIDUAL, RELU

// #include "transforms-3.wgsl"
// #include "output-tile.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  transformTile((wid.y * nwg.x + wid.x) * WORKGROUP + lid);
}
