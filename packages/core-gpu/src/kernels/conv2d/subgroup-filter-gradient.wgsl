// Filter gradient for software adapters with subgroups of 8: an outer product of registers for each pixel.
//
// dkernel[ky, kx, c, o] = sum over n, oy, ox of x[n, iy, ix, c] * dy[n, oy, ox, o], iy = oy * strideH + ky * dilationH - top.
// Read as a matrix product: rows are weights (ky, kx, c), columns are output channels o, and the summed index runs
// over the output pixels.
//
//   x        strided: element (n, row, column, channel) at n * xImage + row * xRow + column * xPixel + channel + xOffset
//   dy       pixel p (counted through n, oy, ox) at p * yPixel + yOffset
//   dkernel  (kh, kw, ci, co) dense; workgroup's share s of the pixels adds up to the one at s * splitFloats
//   tile     32 rows x 32 columns for each workgroup, which is one subgroup of 8 lanes
//
//                lane 0    lane 1          lane 7
//              o 0123      4567     ...    28..31     for each pixel lane l loads rows 4 l .. 4 l + 3 of x and
//     row 0      ####      ####            ####       columns 4 l .. 4 l + 3 of dy, one vec4 each; the rows of the
//     row 1      ####      ####            ####       other lanes come by subgroupShuffle
//       ...
//
//   cost     2 * pixels FLOP for each weight; 4 vec4 loads a lane for 32 x 32 weights x 2 pixels. Four pixels at a time
//            would save nothing but loop overhead, and their code no longer fits the instruction cache (a quarter of
//            the speed).
//   needs    ci, co and all strides and offsets divisible by 4
//            subgroups of exactly 8 lanes; ACCUMULATE (add to what dkernel holds)

enable subgroups;

// #include "filter-gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dkernel: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rows = params.kh * params.kw * params.ci / 4;
  let columns = params.co / 4;
  let rowTiles = (rows + 7) / 8;
  let columnTiles = (columns + 7) / 8;
  let tile = wid.y * nwg.x + wid.x;
  let tileRow = tile % rowTiles * 8;
  let column = tile / rowTiles % columnTiles * 8 + lane;
  let split = tile / rowTiles / columnTiles;
  let readColumn = min(column, columns - 1);

  // The tap and the channels that this lane loads.
  let row = min(tileRow + lane, rows - 1);
  let c = row % (params.ci / 4) * 4;
  let tap = row / (params.ci / 4);
  let down = i32(tap / params.kw * params.dilationH) - params.top;
  let right = i32(tap % params.kw * params.dilationW) - params.left;

  let begin = params.first + split * params.splitPixels;
  let end = min(begin + params.splitPixels, params.first + params.pixels);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin >= end) { return; }
  var n = begin / params.ow / params.oh;
  var oy = begin / params.ow % params.oh;
  var ox = begin % params.ow;
  var sums: array<vec4f, 32>;
  for (var p = begin; p < end; p += 2) {
    var xs: array<vec4f, 2>;
    var dys: array<vec4f, 2>;
    for (var i = 0u; i < 2; i++) {
      let iy = i32(oy * params.strideH) + down;
      let ix = i32(ox * params.strideW) + right;
      let inside = p + i < end && u32(iy) < params.h && u32(ix) < params.w;
      let at = u32(i32(n * params.xImage + u32(iy) * params.xRow + u32(ix) * params.xPixel + c) + params.xOffset) / 4;
      xs[i] = select(vec4f(), x[select(0, at, inside)], inside);
      let gradient = u32(i32(min(p + i, end - 1) * params.yPixel) + params.yOffset) / 4;
      dys[i] = dy[gradient + readColumn];
      // The next pixel.
      ox = select(ox + 1, 0, ox + 1 == params.ow);
      oy = select(oy, select(oy + 1, 0, oy + 1 == params.oh), ox == 0);
      n = select(n, n + 1, ox == 0 && oy == 0);
    }
    let gradients = mat2x4f(dys[0], dys[1]);
    let inputs = transpose(mat2x4f(xs[0], xs[1]));
    for (var i = 0u; i < 8; i++) {
      sums[4 * i] += gradients * subgroupShuffle(inputs[0], i);
      sums[4 * i + 1] += gradients * subgroupShuffle(inputs[1], i);
      sums[4 * i + 2] += gradients * subgroupShuffle(inputs[2], i);
      sums[4 * i + 3] += gradients * subgroupShuffle(inputs[3], i);
    }
  }

  let count = min(32, (rows - tileRow) * 4);
  for (var i = 0u; i < count; i++) {
    if (column < columns) {
      let at = (params.kernelOffset + split * params.splitFloats) / 4 + (tileRow * 4 + i) * columns + column;
      var sum = sums[i];
      if (ACCUMULATE) { sum += dkernel[at]; }
      dkernel[at] = sum;
    }
  }
}
