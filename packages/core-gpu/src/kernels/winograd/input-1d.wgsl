// Winograd F(4, 7), first of three passes: tiles of ten pixels of a row or a column of x are transformed, B^T d, and
// stored in the order in which a sum of outer products reads them.
//
//     x  . +---------+ . . .      an input tile for each tile of four outputs: they
//        . | d       |-+ . .  ->  overlap by six pixels            transformedInput[position 0 .. 9][tile][channel]
//        . +---------+ | . .
//
//   x            strided: pixel (n, row, column) starts at ((n * h + row) * w + column) * ci + xOffset
//   transformedInput  (position, positionStride): `positionStride` vec4f for each of the positions of the tile, as store-transposed.wgsl says
//   along        (down, right) is (0, 1) for a filter of a row, (1, 0) for one of a column
//   thread       one tile, four channels. Threads past the last do once more what the last ones do: a `return` would
//                mask all loads.
//   cost         each element of x is read 10/4 times and 10/4 as many are written
//   needs        ci and xOffset divisible by 4; subgroups of exactly 8 lanes; WORKGROUP (8)

enable subgroups;

// #include "transforms-1d.wgsl"

struct Params {
  first: u32,
  tiles: u32,
  tilesX: u32,
  tilesY: u32,
  h: u32,
  w: u32,
  ci: u32,
  padTop: i32,
  padLeft: i32,
  down: u32,
  right: u32,
  xOffset: u32,
  positionStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> transformedInput: array<vec4f>;

// #include "store-transposed.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = min((wid.y * nwg.x + wid.x) * WORKGROUP, params.positionStride - WORKGROUP) + lid;
  let channelVectors = params.ci / 4;
  let channelVector = t / 8 % channelVectors;
  let tile = t / 8 / channelVectors * 8 + t % 8;
  let tileIndex = params.first + min(tile, params.tiles - 1);
  let line = tileIndex / params.tilesX;
  let row0 = i32(line % params.tilesY * (1 + (OUTPUT_SIZE - 1) * params.down)) - params.padTop;
  let column0 = i32(tileIndex % params.tilesX * (1 + (OUTPUT_SIZE - 1) * params.right)) - params.padLeft;
  let image = line / params.tilesY * params.h;

  var values: Tile;
  for (var s = 0u; s < TILE_SIZE; s++) {
    let iy = u32(row0 + i32(s * params.down));
    let ix = u32(column0 + i32(s * params.right));
    let inside = iy < params.h && ix < params.w; // what lies before 0 is large as u32
    let at = params.xOffset / 4 + ((image + iy) * params.w + ix) * channelVectors + channelVector;
    values[s] = select(vec4f(), vec4f(x[select(0, at, inside)]), inside);
  }
  values = inputTransform(values);
  for (var s = 0u; s < TILE_SIZE; s++) { storePosition(s, t, values[s]); }
}
