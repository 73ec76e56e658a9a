// The input transform of one tile and four channels, for tiles of any size (transforms-N.wgsl gives the arithmetic).
//
//   x            strided: pixel (n, row, column) starts at ((n * h + row) * w + column) * ci + xOffset
//   transformedInput  (position, positionStride): `positionStride` vec4f for each of the TILE_SIZE * TILE_SIZE positions of the tile, in it
//                  (tile / interleave, ci / 4, tile % interleave)
//                with interleave = 1 rows of a matrix, one for each tile; with interleave = 8 the lanes of a subgroup read eight tiles
//                that lie interleave by interleave; or as store-transposed.wgsl says
//   put          includers say how a thread's value of a position is stored. Threads past the last tile transform it once
//                more, so that all lanes of a subgroup arrive there.

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
  xOffset: u32,
  positionStride: u32,
  interleave: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> transformedInput: array<vec4f>;

fn transformTile(t: u32) {
  let channelVectors = params.ci / 4;
  let channelVector = t / params.interleave % channelVectors;
  let tile = t / params.interleave / channelVectors * params.interleave + t % params.interleave;
  let tileIndex = params.first + min(tile, params.tiles - 1);
  let row0 = i32(tileIndex / params.tilesX % params.tilesY * OUTPUT_SIZE) - params.padTop;
  let column0 = i32(tileIndex % params.tilesX * OUTPUT_SIZE) - params.padLeft;
  let image = tileIndex / params.tilesX / params.tilesY * params.h;

  // B^T d B: rows as they are loaded, then columns. Pixels outside the image are zero.
  var rows: array<Tile, TILE_SIZE>;
  for (var r = 0u; r < TILE_SIZE; r++) {
    let iy = row0 + i32(r);
    let rowInside = u32(iy) < params.h;
    let rowStart = (image + u32(iy)) * params.w;
    var values: Tile;
    for (var s = 0u; s < TILE_SIZE; s++) {
      let ix = column0 + i32(s);
      let inside = rowInside && u32(ix) < params.w;
      let at = params.xOffset / 4 + (rowStart + u32(ix)) * channelVectors + channelVector;
      values[s] = select(vec4f(), vec4f(x[select(0, at, inside)]), inside);
    }
    rows[r] = inputTransform(values);
  }
  for (var s = 0u; s < TILE_SIZE; s++) {
    var values: Tile;
    for (var r = 0u; r < TILE_SIZE; r++) { values[r] = rows[r][s]; }
    values = inputTransform(values);
    for (var r = 0u; r < TILE_SIZE; r++) { storePosition(r * TILE_SIZE + s, t, values[r]); }
  }
}
