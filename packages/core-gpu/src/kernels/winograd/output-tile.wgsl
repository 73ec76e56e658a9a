// The output transform of one tile and four channels, for tiles of any size (transforms-N.wgsl gives the arithmetic).
//
//   products  (position, tile, co / 4): `positionStride` vec4f for each of the TILE_SIZE * TILE_SIZE positions
//   y         pixel (n, row, column) starts at ((n * oh + row) * ow + column) * yStrideW + yOffset; a tile at the lower or
//             right edge writes only what lies inside; residual lies as y does
//   threads   past the last do once more what the last one does: a `return` here would make software adapters ask lane
//             by lane, at every load, whether it is still running

struct Params {
  first: u32,
  tiles: u32,
  tilesX: u32,
  tilesY: u32,
  oh: u32,
  ow: u32,
  co: u32,
  yStrideW: u32,
  yOffset: u32,
  positionStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> products: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<Bias4>;
@group(0) @binding(3) var<storage, read> residual: array<Residual4>;
@group(0) @binding(4) var<storage, read_write> y: array<Y4>;

// #include "output-store.wgsl"

fn transformTile(thread: u32) {
  let channelVectors = params.co / 4;
  let t = min(thread, params.tiles * channelVectors - 1);
  let channelVector = t % channelVectors;
  let tile = t / channelVectors;
  let tileIndex = params.first + tile;
  let row0 = tileIndex / params.tilesX % params.tilesY * OUTPUT_SIZE;
  let column0 = tileIndex % params.tilesX * OUTPUT_SIZE;
  let image = tileIndex / params.tilesX / params.tilesY * params.oh;

  // A^T m A: columns as they are loaded, then rows.
  var columns: array<Outputs, TILE_SIZE>;
  for (var s = 0u; s < TILE_SIZE; s++) {
    var values: Tile;
    for (var r = 0u; r < TILE_SIZE; r++) { values[r] = products[(r * TILE_SIZE + s) * params.positionStride + t]; }
    columns[s] = outputTransform(values);
  }
  let added = biasOf(channelVector);
  for (var r = 0u; r < OUTPUT_SIZE; r++) {
    var values: Tile;
    for (var s = 0u; s < TILE_SIZE; s++) { values[s] = columns[s][r]; }
    let outputs = outputTransform(values);
    let rowStart = (image + row0 + r) * params.ow + column0;
    for (var s = 0u; s < OUTPUT_SIZE; s++) {
      if (row0 + r < params.oh && column0 + s < params.ow) {
        let at = (params.yOffset + (rowStart + s) * params.yStrideW) / 4 + channelVector;
        store(at, outputs[s] + added);
      }
    }
  }
}
