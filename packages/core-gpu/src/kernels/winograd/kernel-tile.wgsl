// The kernel transform of one input channel and four output channels (transforms-N.wgsl gives the arithmetic).
//
//   kernel       (3, 3, ci, co) dense
//   transformedKernel  (position, positionStride): `positionStride` vec4f for each of the TILE_SIZE * TILE_SIZE positions, in it
//                  (co / 4 / interleave, ci, interleave), zeros for channels past the last
//                with interleave = co / 4 rows of a matrix; with interleave = 8 what the lanes of a subgroup read lies interleave by interleave

struct Params {
  ci: u32,
  co: u32,
  positionStride: u32,
  interleave: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(2) var<storage, read_write> transformedKernel: array<TransformedKernel4>;

fn transformTaps(t: u32) {
  if (t >= params.positionStride) { return; }
  let channelVectors = params.co / 4;
  let channelVector = t / params.interleave / params.ci * params.interleave + t % params.interleave;
  let c = t / params.interleave % params.ci;
  let exists = channelVector < channelVectors;

  // G g G^T: columns of taps as they are loaded, then rows.
  var columns: array<Tile, 3>;
  for (var kx = 0u; kx < 3; kx++) {
    var taps: array<vec4f, 3>;
    for (var ky = 0u; ky < 3; ky++) {
      let at = ((ky * 3 + kx) * params.ci + c) * channelVectors + channelVector;
      taps[ky] = select(vec4f(), vec4f(kernel[select(0, at, exists)]), exists);
    }
    columns[kx] = kernelTransform(taps);
  }
  for (var r = 0u; r < TILE_SIZE; r++) {
    let row = kernelTransform(array<vec4f, 3>(columns[0][r], columns[1][r], columns[2][r]));
    for (var s = 0u; s < TILE_SIZE; s++) { transformedKernel[(r * TILE_SIZE + s) * params.positionStride + t] = TransformedKernel4(row[s]); }
  }
}
