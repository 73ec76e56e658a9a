// Convolution on tensor cores: EXPERIMENTAL, and never run on any.
//
// The matrix product of tile-forward.wgsl (its rows are pixels, k = (ky, kx, c) is summed, the matrix of x is looked up and
// never built), multiplied as in matmul/subgroup-matrix.wgsl: whole subgroups multiply whole fragments
// (../shared/fragment-product.wgsl) of tiles in shared memory, and the next tiles are on their way into registers.
//
//   x, kernel, y  as for tile-forward.wgsl; residual lies as y does
//   tile          TILE_M pixels x TILE_N channels for each workgroup of DOWN x ACROSS subgroups; DEPTH steps of k at a time
//   precision     numbers of x and of the kernel are rounded to Element; products and sums are f32
//   edges         zeros where a tap lies outside the picture or past the end of k; pixels and channels past the last ones
//                 are clamped, and not stored
//   splits        as in tile-forward.wgsl: SPLIT writes each part's sums to its own share of y
//   cost          2 * kh * kw * ci FLOP for each element of y; x is read co / TILE_N times, the kernel pixels / TILE_M
//   needs         what fragment-product.wgsl needs; ci, co and all strides and offsets divisible by 4; splitDepth divisible
//                 by DEPTH; SPLIT, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds)

// #include "tile-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(3) var<storage, read> bias: array<Bias4>;
@group(0) @binding(4) var<storage, read> residual: array<Residual4>;
@group(0) @binding(5) var<storage, read_write> y: array<Y4>;

// #include "tile-window.wgsl"
// #include "tile-store.wgsl"

// Where a workgroup's tile of y begins, in pixels and in fours of channels, and its part of the sum.
struct Corner {
  pixel: u32,
  column: u32,
  split: u32,
}

// #include "../shared/fragment-product.wgsl"

const FOURS = DEPTH / 4; // vec4 along k of one pixel
const WIDTH = TILE_N / 4; // vec4 of one row of the kernel

fn storeFour(corner: Corner, row: u32, column: u32, four: vec4f) {
  let pixel = corner.pixel + row;
  let place = corner.column + column / 4;
  if (pixel < params.pixels && place < params.co / 4) { store(startOf(pixel, corner.split), place, four); }
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
  let columnTiles = (columns + WIDTH - 1) / WIDTH;
  let tile = wid.y * nwg.x + wid.x;
  let corner = Corner(tile % pixelTiles * TILE_M, tile / pixelTiles % columnTiles * WIDTH, tile / pixelTiles / columnTiles);
  let depth = params.kh * params.kw * params.ci;
  let begin = corner.split * params.splitDepth;
  let end = min(begin + params.splitDepth, depth);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin > 0 && begin >= end) { return; }
  let subgroup = subgroupOf(sid, lid);

  // This thread fetches k / 4 = lid % FOURS of several pixels: all of the same tap.
  var windows: array<Window, LEFT_FETCHES>;
  for (var f = 0u; f < LEFT_FETCHES; f++) {
    windows[f] = windowOf(params.first + min(corner.pixel + (lid + f * WORKGROUP) / FOURS, params.pixels - 1));
  }
  var k = begin + lid % FOURS * 4;
  var tap = tapOf(k);

  var sums: Sums;
  // Each round fetches the tiles at 'done', multiplies those of the round before, and puts the fetched ones in their place.
  for (var done = begin; done < end + DEPTH; done += DEPTH) {
    var nextX: array<vec4f, LEFT_FETCHES>;
    var nextKernel: array<vec4f, RIGHT_FETCHES>;
    if (done < end) {
      for (var f = 0u; f < LEFT_FETCHES; f++) {
        let place = placeOf(windows[f], tap);
        nextX[f] = select(vec4f(), vec4f(x[place.at]), place.inside);
      }
      for (var f = 0u; f < RIGHT_FETCHES; f++) {
        let row = done + (lid + f * WORKGROUP) / WIDTH;
        let column = min(corner.column + (lid + f * WORKGROUP) % WIDTH, columns - 1);
        let weights = kernel[params.kernelOffset / 4 + min(row, depth - 1) * columns + column];
        nextKernel[f] = select(vec4f(), vec4f(weights), row < depth);
      }
      k += DEPTH;
      tap.c += DEPTH;
      if (tap.c >= params.ci) { tap = tapOf(k); }
    }
    if (done > begin) { multiplyTiles(subgroup, &sums); }
    workgroupBarrier();
    if (done < end) {
      for (var f = 0u; f < LEFT_FETCHES; f++) {
        putLeft((lid + f * WORKGROUP) / FOURS, 4 * (lid % FOURS), nextX[f]);
      }
      for (var f = 0u; f < RIGHT_FETCHES; f++) {
        putRight((lid + f * WORKGROUP) / WIDTH, 4 * ((lid + f * WORKGROUP) % WIDTH), nextKernel[f]);
      }
    }
    workgroupBarrier();
  }

  storeSums(corner, subgroup, lid, &sums);
}
