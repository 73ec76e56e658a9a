// Filter gradient for GPUs: shared-memory tiles of both factors, register tiles of the output.
//
// dkernel[ky, kx, c, o] = sum over n, oy, ox of x[n, iy, ix, c] * dy[n, oy, ox, o], iy = oy * strideH + ky * dilationH - top.
// Read as a matrix product: rows are weights (ky, kx, c), columns are output channels o, and the summed index runs
// over the output pixels.
//
//   x        strided: element (n, row, column, channel) at n * xImage + row * xRow + column * xPixel + channel + xOffset
//   dy       pixel p (counted through n, oy, ox) at p * yPixel + yOffset
//   dkernel  (kh, kw, ci, co) dense; workgroup's share s of the pixels adds up to the one at s * splitFloats
//   tile     64 rows x 64 columns for each workgroup of 16 x 16 threads, 16 pixels at a time
//
//               64 columns o                 thread (r, q) of the 16 x 16: rows 4 r .. 4 r + 3, columns 4 q .. 4 q + 3
//     64     +-----------------+
//     rows   |     dkernel     |  = xTile^T (16 pixels x 64 rows) * dyTile (16 pixels x 64 columns)
//            +-----------------+
//
//   memory   2 * 16 * 64 * 4 bytes shared: 8 KiB
//   cost     2 * pixels FLOP for each weight; x is read co / 64 times, dy kh * kw * ci / 64 times
//   needs    ci, co and all strides and offsets divisible by 4
//            ACCUMULATE (add to what dkernel holds)

// #include "filter-gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dkernel: array<vec4f>;

var<workgroup> xTile: array<vec4f, 256>; // [pixel][row / 4]
var<workgroup> dyTile: array<vec4f, 256>; // [pixel][column / 4]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let rows = params.kh * params.kw * params.ci / 4;
  let columns = params.co / 4;
  let rowTiles = (rows + 15) / 16;
  let columnTiles = (columns + 15) / 16;
  let tile = wid.y * nwg.x + wid.x;
  let tileRow = tile % rowTiles * 16;
  let tileColumn = tile / rowTiles % columnTiles * 16;
  let split = tile / rowTiles / columnTiles;
  let begin = params.first + split * params.splitPixels;
  let end = min(begin + params.splitPixels, params.first + params.pixels);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin >= end) { return; }

  // What this thread loads: pixel lid / 16 of every 16, the lid % 16-th vec4 of rows and of columns.
  let q = lid % 16;
  let r = lid / 16;
  let row = min(tileRow + q, rows - 1);
  let c = row % (params.ci / 4) * 4;
  let tap = row / (params.ci / 4);
  let down = i32(tap / params.kw * params.dilationH) - params.top;
  let right = i32(tap % params.kw * params.dilationW) - params.left;
  let readColumn = min(tileColumn + q, columns - 1);
  let begun = begin + r;
  var n = begun / params.ow / params.oh;
  var oy = begun / params.ow % params.oh;
  var ox = begun % params.ow;

  var sums: array<vec4f, 4>;
  for (var p = begin; p < end; p += 16) {
    let iy = i32(oy * params.strideH) + down;
    let ix = i32(ox * params.strideW) + right;
    let isPixel = p + r < end;
    let inside = isPixel && u32(iy) < params.h && u32(ix) < params.w;
    let at = u32(i32(n * params.xImage + u32(iy) * params.xRow + u32(ix) * params.xPixel + c) + params.xOffset) / 4;
    xTile[lid] = select(vec4f(), x[select(0, at, inside)], inside);
    let gradient = u32(i32((p + r) * params.yPixel) + params.yOffset) / 4 + readColumn;
    dyTile[lid] = select(vec4f(), dy[select(0, gradient, isPixel)], isPixel);
    ox += 16;
    while (ox >= params.ow) { ox -= params.ow; oy++; if (oy == params.oh) { oy = 0; n++; } }
    workgroupBarrier();
    for (var i = 0u; i < 16; i++) {
      let input = xTile[16 * i + r];
      let gradients = dyTile[16 * i + q];
      sums[0] += input.x * gradients;
      sums[1] += input.y * gradients;
      sums[2] += input.z * gradients;
      sums[3] += input.w * gradients;
    }
    workgroupBarrier();
  }

  let column = tileColumn + q;
  if (column < columns && tileRow + r < rows) {
    for (var i = 0u; i < 4; i++) {
      let at = (params.kernelOffset + split * params.splitFloats) / 4 + ((tileRow + r) * 4 + i) * columns + column;
      if (ACCUMULATE) { sums[i] += dkernel[at]; }
      dkernel[at] = sums[i];
    }
  }
}
