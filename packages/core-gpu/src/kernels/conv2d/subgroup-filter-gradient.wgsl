// Filter gradient for software adapters with subgroups of 8: an outer product of registers for each pixel.
//
// dkernel[ky, kx, c, o] = sum over n, oy, ox of x[n, iy, ix, c] * dy[n, oy, ox, o], iy = oy * strideH + ky * dilationH - padTop.
// Read as a matrix product: rows are weights (ky, kx, c), columns are output channels o, and the summed index runs
// over the output pixels.
//
//   x        strided: element (n, row, column, channel) at n * xStrideN + row * xStrideH + column * xStrideW + channel + xOffset
//   dy       pixel p (counted through n, oy, ox) at p * yStrideW + yOffset
//   dkernel  (kh, kw, ci, co) dense; workgroup's share s of the pixels adds up to the one at s * splitStride
//   tile     32 rows x 32 * COLS columns for each workgroup, which is one subgroup of 8 lanes
//
//                lane 0    lane 1          lane 7
//              o 0123      4567     ...    28..31     for each pixel lane l loads rows 4 l .. 4 l + 3 of x and
//     row 0      ####      ####            ####       columns 4 l .. 4 l + 3 of dy, one vec4 each; the rows of the
//     row 1      ####      ####            ####       other lanes come by subgroupShuffle
//       ...                                            with COLS = 2 columns 32 + 4 l .. too, for the same rows
//
//   cost     2 * pixels FLOP for each weight; 2 + 2 COLS vec4 loads a lane for 32 x 32 COLS weights x 2 pixels. Four pixels at a time
//            would save nothing but loop overhead, and their code no longer fits the instruction cache (a quarter of
//            the speed).
//   needs    ci, co and all strides and offsets divisible by 4
//            subgroups of exactly 8 lanes; COLS (1 or 2), ACCUMULATE (add to what dkernel holds)

enable subgroups;

// #include "filter-gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> dy: array<Dy4>;
@group(0) @binding(3) var<storage, read_write> dkernel: array<vec4f>;

alias Sums = array<vec4f, 32 * COLS>;

// Adds the products of the four rows that one lane has loaded with this lane's columns, two pixels of each.
fn addFour(sums: ptr<function, Sums>, first: u32, gradients: mat2x4f, inputs: mat4x2f, lane: u32) {
  (*sums)[first] += gradients * subgroupShuffle(inputs[0], lane);
  (*sums)[first + 1] += gradients * subgroupShuffle(inputs[1], lane);
  (*sums)[first + 2] += gradients * subgroupShuffle(inputs[2], lane);
  (*sums)[first + 3] += gradients * subgroupShuffle(inputs[3], lane);
}

// The same for the rows of all lanes. Written out: a loop would index the sums by a variable, which is done lane by lane.
fn addRows(sums: ptr<function, Sums>, first: u32, gradients: mat2x4f, inputs: mat4x2f) {
  addFour(sums, first, gradients, inputs, 0u);
  addFour(sums, first + 4, gradients, inputs, 1u);
  addFour(sums, first + 8, gradients, inputs, 2u);
  addFour(sums, first + 12, gradients, inputs, 3u);
  addFour(sums, first + 16, gradients, inputs, 4u);
  addFour(sums, first + 20, gradients, inputs, 5u);
  addFour(sums, first + 24, gradients, inputs, 6u);
  addFour(sums, first + 28, gradients, inputs, 7u);
}

// An output pixel: its image, row and column.
struct Pixel {
  n: u32,
  oy: u32,
  ox: u32,
}

fn after(pixel: Pixel) -> Pixel {
  let ox = select(pixel.ox + 1, 0, pixel.ox + 1 == params.ow);
  let oy = select(pixel.oy, select(pixel.oy + 1, 0, pixel.oy + 1 == params.oh), ox == 0);
  return Pixel(select(pixel.n, pixel.n + 1, ox == 0 && oy == 0), oy, ox);
}

// The tap and the channels that this lane loads: how far from the pixel's place in x.
struct Tap {
  down: i32,
  right: i32,
  c: u32,
}

fn loadX(pixel: Pixel, tap: Tap, isPixel: bool) -> vec4f {
  let iy = i32(pixel.oy * params.strideH) + tap.down;
  let ix = i32(pixel.ox * params.strideW) + tap.right;
  let inside = isPixel && u32(iy) < params.h && u32(ix) < params.w;
  let at = pixel.n * params.xStrideN + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW + tap.c;
  return select(vec4f(), vec4f(x[select(0, u32(i32(at) + params.xOffset) / 4, inside)]), inside);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rows = params.kh * params.kw * params.ci / 4;
  let columns = params.co / 4;
  let rowTiles = (rows + 7) / 8;
  let columnTiles = (columns + 8 * COLS - 1) / (8 * COLS);
  let tile = wid.y * nwg.x + wid.x;
  let tileRow = tile % rowTiles * 8;
  let column = tile / rowTiles % columnTiles * 8 * COLS + lane;
  let split = tile / rowTiles / columnTiles;
  let readColumn = min(column, columns - 1);
  let nextColumn = min(column + 8, columns - 1);

  let row = min(tileRow + lane, rows - 1);
  let tapIndex = row / (params.ci / 4);
  let tap = Tap(
    i32(tapIndex / params.kw * params.dilationH) - params.padTop,
    i32(tapIndex % params.kw * params.dilationW) - params.padLeft,
    row % (params.ci / 4) * 4,
  );

  let begin = params.first + split * params.pixelsPerSplit;
  let end = min(begin + params.pixelsPerSplit, params.first + params.pixels);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin >= end) { return; }
  var pixel = Pixel(begin / params.ow / params.oh, begin / params.ow % params.oh, begin % params.ow);
  var sums: Sums;
  for (var p = begin; p < end; p += 2) {
    let next = after(pixel);
    let inputs = transpose(mat2x4f(loadX(pixel, tap, true), loadX(next, tap, p + 1 < end)));
    pixel = after(next);
    // Past the last pixel x counts as zero, so any dy will do.
    let at = u32(i32(p * params.yStrideW) + params.yOffset) / 4;
    let nextAt = u32(i32(min(p + 1, end - 1) * params.yStrideW) + params.yOffset) / 4;
    addRows(&sums, 0, mat2x4f(vec4f(dy[at + readColumn]), vec4f(dy[nextAt + readColumn])), inputs);
    if (COLS > 1) { addRows(&sums, 32 * (COLS - 1), mat2x4f(vec4f(dy[at + nextColumn]), vec4f(dy[nextAt + nextColumn])), inputs); }
  }

  let count = min(32, (rows - tileRow) * 4);
  for (var i = 0u; i < count; i++) {
    let at = (params.kernelOffset + split * params.splitStride) / 4 + (tileRow * 4 + i) * columns + column;
    if (column < columns) {
      var sum = sums[i];
      if (ACCUMULATE) { sum += dkernel[at]; }
      dkernel[at] = sum;
    }
    if (COLS > 1 && column + 8 < columns) {
      var sum = sums[32 * (COLS - 1) + i];
      if (ACCUMULATE) { sum += dkernel[at + 8]; }
      dkernel[at + 8] = sum;
    }
  }
}
