// Filter gradient for software adapters without subgroups of 8: register tiles, no shared memory.
//
// dkernel[ky, kx, c, o] = sum over n, oy, ox of x[n, iy, ix, c] * dy[n, oy, ox, o], iy = oy * strideH + ky * dilationH - padTop.
// Read as a matrix product: rows are weights (ky, kx, c), columns are output channels o, and the summed index runs
// over the output pixels.
//
//   x        strided: element (n, row, column, channel) at n * xStrideN + row * xStrideH + column * xStrideW + channel + xOffset
//   dy       pixel p (counted through n, oy, ox) at p * yStrideW + yOffset
//   dkernel  (kh, kw, ci, co) dense; workgroup's share s of the pixels adds up to the one at s * splitStride
//   tile     8 rows x 4 columns for each thread, 8 x 32 for each workgroup of 8
//
//                thread 0  thread 1        thread 7
//              o 0123      4567     ...    28..31     for each pixel a thread loads the 8 rows of x (two vec4) and
//     row 0      ####      ####            ####       its 4 columns of dy (one vec4)
//       ...
//
//   cost     2 * pixels FLOP for each weight; 3 vec4 loads for 32 multiply-adds
//   needs    ci, co and all strides and offsets divisible by 4
//            ACCUMULATE (add to what dkernel holds)

// #include "filter-gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> dy: array<Dy4>;
@group(0) @binding(3) var<storage, read_write> dkernel: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let rows = params.kh * params.kw * params.ci / 4;
  let columns = params.co / 4;
  let rowTiles = (rows + 1) / 2;
  let columnTiles = (columns + 7) / 8;
  let tile = wid.y * nwg.x + wid.x;
  let tileRow = tile % rowTiles * 2;
  let column = tile / rowTiles % columnTiles * 8 + lid;
  let split = tile / rowTiles / columnTiles;
  if (column >= columns) { return; }

  // The taps and channels of the two vec4 of rows.
  var c: array<u32, 2>;
  var down: array<i32, 2>;
  var right: array<i32, 2>;
  for (var r = 0u; r < 2; r++) {
    let row = min(tileRow + r, rows - 1);
    let tap = row / (params.ci / 4);
    c[r] = row % (params.ci / 4) * 4;
    down[r] = i32(tap / params.kw * params.dilationH) - params.padTop;
    right[r] = i32(tap % params.kw * params.dilationW) - params.padLeft;
  }

  let begin = params.first + split * params.pixelsPerSplit;
  let end = min(begin + params.pixelsPerSplit, params.first + params.pixels);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin >= end) { return; }
  var n = begin / params.ow / params.oh;
  var oy = begin / params.ow % params.oh;
  var ox = begin % params.ow;
  var sums: array<vec4f, 8>;
  for (var p = begin; p < end; p++) {
    let gradient = vec4f(dy[u32(i32(p * params.yStrideW) + params.yOffset) / 4 + column]);
    for (var r = 0u; r < 2; r++) {
      let iy = i32(oy * params.strideH) + down[r];
      let ix = i32(ox * params.strideW) + right[r];
      let inside = u32(iy) < params.h && u32(ix) < params.w;
      let at = u32(i32(n * params.xStrideN + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW + c[r]) + params.xOffset) / 4;
      let input = select(vec4f(), vec4f(x[select(0, at, inside)]), inside);
      sums[4 * r] += input.x * gradient;
      sums[4 * r + 1] += input.y * gradient;
      sums[4 * r + 2] += input.z * gradient;
      sums[4 * r + 3] += input.w * gradient;
    }
    // The next pixel.
    ox = select(ox + 1, 0, ox + 1 == params.ow);
    oy = select(oy, select(oy + 1, 0, oy + 1 == params.oh), ox == 0);
    n = select(n, n + 1, ox == 0 && oy == 0);
  }

  for (var i = 0u; i < 8; i++) {
    if (tileRow * 4 + i < rows * 4) {
      let at = (params.kernelOffset + split * params.splitStride) / 4 + (tileRow * 4 + i) * columns + column;
      if (ACCUMULATE) { sums[i] += dkernel[at]; }
      dkernel[at] = sums[i];
    }
  }
}
