// Convolution for software adapters with subgroups of 8: register tiles, rows broadcast by subgroupShuffle.
//
// y[n, oy, ox, o] = sum over ky, kx, c of x[n, iy, ix, c] * kernel[ky, kx, c, o], iy = oy * strideH + ky * dilationH - padTop.
// Read as a matrix product: rows are output pixels, columns are output channels, and the summed index runs over the
// taps (ky, kx) and the channels c. The matrix of x is never built: a lane looks its rows up (implicit GEMM).
//
//   x, y    strided: element (n, row, column, channel) at n * Image + row * Row + column * Pixel + channel + Offset;
//           residual lies as y does
//   kernel  a matrix (c, o) for each tap, or with TRANSPOSED a matrix (o, c), placed as params.wgsl says
//   tile    8 * GROUPS pixels x 32 channels for each workgroup, which is one subgroup of 8 lanes
//
//              lane 0   lane 1         lane 7
//            o 0123     4567    ...   28..31
//     pixel 0  ####     ####           ####      each lane sums all pixels of the tile for its own 4 channels;
//     pixel 1  ####     ####           ####      of x it loads pixel `lane` of every group of 8, 4 channels at once,
//       ...                                      and reads the other seven pixels from its neighbours
//
//   why     a software adapter makes a storage load lane by lane, some ten instructions for each number, while a
//           shuffle is three for all lanes: 32 pixels x 32 channels x 4 steps take 8 vec4 loads a lane. More pixels
//           would make the loop's machine code outgrow the instruction cache. The last loop has a length that is not
//           known when the shader is compiled, which keeps `sums` an array in memory; as 32 vec4 in registers it
//           would be spilled and masked at every step, at half the speed.
//   cost    2 * kh * kw * ci FLOP for each element of y; no shared memory, no barrier
//   needs   ci, co and all strides and offsets divisible by 4; subgroups of exactly 8 lanes
//           GROUPS, TRANSPOSED, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds: a later part of a split sum)

enable subgroups;

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(3) var<storage, read> bias: array<Bias4>;
@group(0) @binding(4) var<storage, read> residual: array<Residual4>;
@group(0) @binding(5) var<storage, read_write> y: array<Y4>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixelTiles = (params.pixels + 8 * GROUPS - 1) / (8 * GROUPS);
  let tile = wid.y * nwg.x + wid.x;
  let tilePixel = tile % pixelTiles * 8 * GROUPS;
  let columns = params.co / 4;
  let column = tile / pixelTiles * 8 + lane;
  // Lanes past the last channel work on it once more and write nothing.
  let readColumn = min(column, columns - 1);

  // Where this lane's pixel of each group lies in y, and where its receptive field starts in x.
  var isPixel: array<bool, GROUPS>;
  var outputAt: array<u32, GROUPS>;
  var image: array<u32, GROUPS>;
  var startRow: array<i32, GROUPS>;
  var startColumn: array<i32, GROUPS>;
  for (var g = 0u; g < GROUPS; g++) {
    let i = tilePixel + 8 * g + lane;
    isPixel[g] = i < params.pixels;
    let row = (params.first + i) / params.ow;
    let ox = (params.first + i) % params.ow;
    let oy = row % params.oh;
    let n = row / params.oh;
    outputAt[g] = u32(i32(n * params.yStrideN + oy * params.yStrideH + ox * params.yStrideW) + params.yOffset) / 4;
    image[g] = n * params.xStrideN;
    startRow[g] = i32(oy * params.strideH) - params.padTop;
    startColumn[g] = i32(ox * params.strideW) - params.padLeft;
  }

  var sums: array<vec4f, 8 * GROUPS>;
  let pitch = params.kernelStrideRow / 4;
  for (var ky = 0u; ky < params.kh; ky++) {
    for (var kx = 0u; kx < params.kw; kx++) {
      // A tap outside the image reads element 0 and counts as zero.
      var inside: array<bool, GROUPS>;
      var source: array<u32, GROUPS>;
      for (var g = 0u; g < GROUPS; g++) {
        let iy = startRow[g] + i32(ky * params.dilationH);
        let ix = startColumn[g] + i32(kx * params.dilationW);
        inside[g] = isPixel[g] && u32(iy) < params.h && u32(ix) < params.w;
        let at = u32(i32(image[g] + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW) + params.xOffset) / 4;
        source[g] = select(0, at, inside[g]);
      }
      let tap = u32(i32(params.kernelOffset) + i32(ky) * params.kernelStrideH + i32(kx) * params.kernelStrideW) / 4;
      var weight = tap + select(readColumn, 4 * readColumn * pitch, TRANSPOSED);
      for (var c = 0u; c < params.ci / 4; c++) {
        let rows = mat4x4f(
          vec4f(kernel[weight]),
          vec4f(kernel[weight + pitch]),
          vec4f(kernel[weight + 2 * pitch]),
          vec4f(kernel[weight + 3 * pitch]),
        );
        weight += select(4 * pitch, 1, TRANSPOSED);
        var weights = rows;
        if (TRANSPOSED) { weights = transpose(rows); }
        for (var g = 0u; g < GROUPS; g++) {
          let four = select(vec4f(), vec4f(x[source[g] + c]), inside[g]);
          for (var i = 0u; i < 8; i++) {
            sums[8 * g + i] += weights * subgroupShuffle(four, i);
          }
        }
      }
    }
  }

  let count = min(8 * GROUPS, params.pixels - tilePixel);
  for (var i = 0u; i < count; i++) {
    let at = subgroupShuffle(outputAt[i / 8], i % 8) + column;
    if (column < columns) {
      var sum = sums[i];
      if (ACCUMULATE) { sum += vec4f(y[at]); }
      if (HAS_BIAS) { sum += vec4f(bias[column]); }
      if (ADD_RESIDUAL) { sum += vec4f(residual[at]); }
      if (RELU) { sum = select(sum, vec4f(), sum < vec4f()); } // lets NaN through, unlike max
      y[at] = Y4(sum);
    }
  }
}
