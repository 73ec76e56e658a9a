// The output transform of one tile and four channels, for tiles of any size (transforms-N.wgsl gives the arithmetic).
//
//   products  (position, tile, co / 4): `plane` vec4f for each of the SIZE * SIZE positions
//   y         pixel (n, row, column) starts at ((n * oh + row) * ow + column) * yPixel + yOffset; a tile at the lower or
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
  yPixel: u32,
  yOffset: u32,
  plane: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> products: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<Bias4>;
@group(0) @binding(3) var<storage, read> residual: array<Residual4>;
@group(0) @binding(4) var<storage, read_write> y: array<Y4>;

// #include "output-store.wgsl"

fn transformTile(thread: u32) {
  let quads = params.co / 4;
  let t = min(thread, params.tiles * quads - 1);
  let quad = t % quads;
  let tile = t / quads;
  let place = params.first + tile;
  let row0 = place / params.tilesX % params.tilesY * OUTPUT;
  let column0 = place % params.tilesX * OUTPUT;
  let image = place / params.tilesX / params.tilesY * params.oh;

  // A^T m A: columns as they are loaded, then rows.
  var columns: array<Outputs, SIZE>;
  for (var s = 0u; s < SIZE; s++) {
    var window: Window;
    for (var r = 0u; r < SIZE; r++) { window[r] = products[(r * SIZE + s) * params.plane + t]; }
    columns[s] = outputTransform(window);
  }
  let added = biasOf(quad);
  for (var r = 0u; r < OUTPUT; r++) {
    var window: Window;
    for (var s = 0u; s < SIZE; s++) { window[s] = columns[s][r]; }
    let outputs = outputTransform(window);
    let rowStart = (image + row0 + r) * params.ow + column0;
    for (var s = 0u; s < OUTPUT; s++) {
      if (row0 + r < params.oh && column0 + s < params.ow) {
        let at = (params.yOffset + (rowStart + s) * params.yPixel) / 4 + quad;
        store(at, outputs[s] + added);
      }
    }
  }
}
