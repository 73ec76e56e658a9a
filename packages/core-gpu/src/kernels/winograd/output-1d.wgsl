// Winograd F(4, 7), last of three passes: the ten products of a tile become four outputs of a row or a column, A^T m.
//
//   products  (position, tile, co / 4): `positionStride` vec4f for each of the 10 positions
//   y         pixel (n, row, column) starts at ((n * oh + row) * ow + column) * yStrideW + yOffset; a tile at the end of its
//             line writes only what lies inside; residual lies as y does
//   along     (down, right) is (0, 1) for a filter of a row, (1, 0) for one of a column
//   thread    one tile, four channels. Threads past the last do once more what the last one does: a `return` would mask
//             all loads.
//   cost      10/4 loads and one store for each element of y
//   needs     co, yStrideW and yOffset divisible by 4; WORKGROUP, HAS_BIAS, ADD_RESIDUAL, RELU

// #include "transforms-1d.wgsl"

struct Params {
  first: u32,
  tiles: u32,
  tilesX: u32,
  tilesY: u32,
  oh: u32,
  ow: u32,
  co: u32,
  down: u32,
  right: u32,
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let channelVectors = params.co / 4;
  let t = min((wid.y * nwg.x + wid.x) * WORKGROUP + lid, params.tiles * channelVectors - 1);
  let channelVector = t % channelVectors;
  let tileIndex = params.first + t / channelVectors;
  let line = tileIndex / params.tilesX;
  let row0 = line % params.tilesY * (1 + (OUTPUT_SIZE - 1) * params.down);
  let column0 = tileIndex % params.tilesX * (1 + (OUTPUT_SIZE - 1) * params.right);
  let image = line / params.tilesY * params.oh;

  var values: Tile;
  for (var s = 0u; s < TILE_SIZE; s++) { values[s] = products[s * params.positionStride + t]; }
  let outputs = outputTransform(values);
  let added = biasOf(channelVector);
  for (var s = 0u; s < OUTPUT_SIZE; s++) {
    let row = row0 + s * params.down;
    let column = column0 + s * params.right;
    if (row < params.oh && column < params.ow) {
      let at = (params.yOffset + ((image + row) * params.ow + column) * params.yStrideW) / 4 + channelVector;
      store(at, outputs[s] + added);
    }
  }
}
