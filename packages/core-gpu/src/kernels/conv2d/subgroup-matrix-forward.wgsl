// Convolution on tensor cores: EXPERIMENTAL, and never run on any.
//
// The matrix product of tiled-forward.wgsl (its rows are pixels, k = (ky, kx, c) is summed, the matrix of x is looked up and
// never built), multiplied as in matmul/subgroup-matrix.wgsl: whole subgroups multiply whole fragments
// (../shared/fragment-product.wgsl) of tiles in shared memory, and the next tiles are on their way into registers.
//
//   x, kernel, y  as for tiled-forward.wgsl; residual lies as y does
//   tile          TILE_M pixels x TILE_N channels for each workgroup of SUBGROUPS_M x SUBGROUPS_N subgroups; TILE_K steps of k at a time
//   precision     numbers of x and of the kernel are rounded to Element; products and sums are f32
//   edges         zeros where a tap lies outside the image or past the end of k; pixels and channels past the last ones
//                 are clamped, and not stored
//   splits        as in tiled-forward.wgsl: SPLIT writes each part's sums to its own share of y
//   cost          2 * kh * kw * ci FLOP for each element of y; x is read co / TILE_N times, the kernel pixels / TILE_M
//   needs         what fragment-product.wgsl needs; ci, co and all strides and offsets divisible by 4; kPerSplit divisible
//                 by TILE_K; SPLIT, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds)

// #include "tiled-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(3) var<storage, read> bias: array<Bias4>;
@group(0) @binding(4) var<storage, read> residual: array<Residual4>;
@group(0) @binding(5) var<storage, read_write> y: array<Y4>;

// #include "receptive-field.wgsl"
// #include "tiled-store.wgsl"

// Where a workgroup's tile of y begins, in pixels and in vec4 of channels, and its part of the sum.
struct TileOrigin {
  pixel: u32,
  column: u32,
  split: u32,
}

// #include "../shared/fragment-product.wgsl"

const K_VEC4 = TILE_K / 4; // vec4 along k of one pixel
const N_VEC4 = TILE_N / 4; // vec4 of one row of the kernel

fn storeVec4(origin: TileOrigin, row: u32, column: u32, value: vec4f) {
  let pixel = origin.pixel + row;
  let outputColumn = origin.column + column / 4;
  if (pixel < params.pixels && outputColumn < params.co / 4) { store(startOf(pixel, origin.split), outputColumn, value); }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) nwg: vec3u,
  @builtin(local_invocation_index) lid: u32,
  @builtin(subgroup_id) sid: u32,
) {
  let pixelTiles = (params.pixels + TILE_M - 1) / TILE_M;
  let columns = params.co / 4;
  let columnTiles = (columns + N_VEC4 - 1) / N_VEC4;
  let tile = wid.y * nwg.x + wid.x;
  let origin = TileOrigin(tile % pixelTiles * TILE_M, tile / pixelTiles % columnTiles * N_VEC4, tile / pixelTiles / columnTiles);
  let gemmK = params.kh * params.kw * params.ci;
  let begin = origin.split * params.kPerSplit;
  let end = min(begin + params.kPerSplit, gemmK);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin > 0 && begin >= end) { return; }
  let subgroup = subgroupOf(sid, lid);

  // This thread fetches k / 4 = lid % K_VEC4 of several pixels: all of the same tap.
  var fields: array<ReceptiveField, LEFT_FETCHES>;
  for (var f = 0u; f < LEFT_FETCHES; f++) {
    fields[f] = receptiveFieldOf(params.first + min(origin.pixel + (lid + f * WORKGROUP) / K_VEC4, params.pixels - 1));
  }
  var k = begin + lid % K_VEC4 * 4;
  var tap = tapOf(k);

  var sums: Sums;
  // Each round fetches the tiles at 'done', multiplies those of the round before, and stores the fetched ones.
  for (var done = begin; done < end + TILE_K; done += TILE_K) {
    var nextX: array<vec4f, LEFT_FETCHES>;
    var nextKernel: array<vec4f, RIGHT_FETCHES>;
    if (done < end) {
      for (var f = 0u; f < LEFT_FETCHES; f++) {
        let source = sourceOf(fields[f], tap);
        nextX[f] = select(vec4f(), vec4f(x[source.at]), source.inside);
      }
      for (var f = 0u; f < RIGHT_FETCHES; f++) {
        let row = done + (lid + f * WORKGROUP) / N_VEC4;
        let column = min(origin.column + (lid + f * WORKGROUP) % N_VEC4, columns - 1);
        let weights = kernel[params.kernelOffset / 4 + min(row, gemmK - 1) * columns + column];
        nextKernel[f] = select(vec4f(), vec4f(weights), row < gemmK);
      }
      k += TILE_K;
      tap.c += TILE_K;
      if (tap.c >= params.ci) { tap = tapOf(k); }
    }
    if (done > begin) { multiplyTiles(subgroup, &sums); }
    workgroupBarrier();
    if (done < end) {
      for (var f = 0u; f < LEFT_FETCHES; f++) {
        storeLeft((lid + f * WORKGROUP) / K_VEC4, 4 * (lid % K_VEC4), nextX[f]);
      }
      for (var f = 0u; f < RIGHT_FETCHES; f++) {
        storeRight((lid + f * WORKGROUP) / N_VEC4, 4 * ((lid + f * WORKGROUP) % N_VEC4), nextKernel[f]);
      }
    }
    workgroupBarrier();
  }

  storeSums(origin, subgroup, lid, &sums);
}
