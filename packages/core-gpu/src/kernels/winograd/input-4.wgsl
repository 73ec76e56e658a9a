// Winograd F(4x4, 3x3), first of three passes: every tile of 6x6 inputs is transformed, B^T d B.
//
//     x  . . . . . . . .          an input tile for each tile of 4x4 outputs: they
//        . +-------+ . .          overlap by two rows and columns
//        . | d     |-+ .    ->    transformedInput[position 0 .. 35][tile][channel]
//        . +-------+ | .
//
//   layout  see input-tile.wgsl
//   thread  one tile, four channels: 36 vec4f are loaded, transformed in registers, and stored
//   cost    each element of x is read 36/16 times and 36/16 as many are written
//   needs   ci and xOffset divisible by 4; WORKGROUP

// #include "transforms-4.wgsl"
// #include "input-tile.wgsl"
// #include "store-rows.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  transformTile((wid.y * nwg.x + wid.x) * WORKGROUP + lid);
}
