// Convolution for software adapters with subgroups of 8, as a sum of outer products: the fastest there.
//
// y[n, oy, ox, o] = sum over ky, kx, c of x[n, iy, ix, c] * kernel[ky, kx, c, o], iy = oy * strideH + ky * dilationH - padTop.
// Read as a matrix product: rows are output pixels, columns are output channels, and the summed index runs over the
// taps (ky, kx) and the channels c. The matrix of x is never built: a lane looks its rows up (implicit GEMM).
//
//   x, y    strided: element (n, row, column, channel) at n * Image + row * Row + column * Pixel + channel + Offset;
//           residual lies as y does
//   kernel  a matrix (c, o) for each tap, or with TRANSPOSED a matrix (o, c), placed as params.wgsl says; kernel2 is the
//           same memory in pairs
//   tile    ROWS pixels x 32 COLS channels for each workgroup, which is one subgroup of 8 lanes
//
//                         lane 0   lane 1         lane 7
//               channels  0 .. 3   4 .. 7   ..   28 .. 31    in each step of two channels c lane l loads four of its own
//               pixel 0    ####     ####           ####      columns of the kernel (two vec4 where COLS is 2), and of x
//               pixel 1    ####     ####           ####      pixels 4 l .. 4 l + 3 (and 32 + 4 l .. where ROWS > 32);
//                ..                                          the other lanes' pixels come by subgroupShuffle
//
//   why     a software adapter makes a storage load lane by lane, number by number: what counts is how many numbers are
//           loaded for a multiply-add, whatever the vectors they come in. 32 x 64 takes a quarter less of them than
//           subgroup-forward.wgsl's 32 x 32. Two channels at a time, and the sums an array in memory: as
//           ../matmul/outer-product.wgsl, whose loop this is. There the first operand lies in the order of k; here x does not,
//           and a lane loads two channels of four pixels instead of four pixels of two channels.
//   cost    2 * kh * kw * ci FLOP for each element of y; no shared memory, no barrier
//   needs   ci, co and all strides and offsets divisible by 4; subgroups of exactly 8 lanes
//           ROWS (a multiple of 4, at most 64), COLS (1 or 2, and 1 where ROWS > 32), TRANSPOSED, HAS_BIAS, ADD_RESIDUAL,
//           RELU, ACCUMULATE (add to what y holds: a later part of a split sum)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X2>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(3) var<storage, read> kernel2: array<Kernel2>;
@group(0) @binding(4) var<storage, read> bias: array<Bias4>;
@group(0) @binding(5) var<storage, read> residual: array<Residual4>;
@group(0) @binding(6) var<storage, read_write> y: array<Y4>;

// Fours of pixels of one lane.
const PIXEL_GROUPS = (ROWS + 31) / 32;

// #include "../shared/outer-product.wgsl"

// Where this lane's four pixels lie in y, and where their receptive fields start in x.
struct Pixels {
  outputAt: vec4u,
  image: vec4u,
  row: vec4i,
  column: vec4i,
  exists: vec4<bool>,
}

fn pixelsFrom(first: u32) -> Pixels {
  let i = vec4u(first) + vec4u(0, 1, 2, 3);
  let index = params.first + i;
  let row = index / params.ow;
  let ox = index - row * params.ow;
  let n = row / params.oh;
  let oy = row - n * params.oh;
  return Pixels(
    vec4u(vec4i(n * params.yStrideN + oy * params.yStrideH + ox * params.yStrideW) + params.yOffset) / 4,
    n * params.xStrideN,
    vec4i(oy * params.strideH) - params.padTop,
    vec4i(ox * params.strideW) - params.padLeft,
    i < vec4u(params.pixels),
  );
}

// Where a tap reads x for four pixels, in pairs of channels. A tap outside the image reads element 0 and counts as zero.
struct Source {
  at: vec4u,
  inside: vec4<bool>,
}

fn sourceOf(pixels: Pixels, ky: u32, kx: u32) -> Source {
  let iy = vec4u(pixels.row + i32(ky * params.dilationH));
  let ix = vec4u(pixels.column + i32(kx * params.dilationW));
  let inside = pixels.exists & (iy < vec4u(params.h)) & (ix < vec4u(params.w));
  let at = vec4u(vec4i(pixels.image + iy * params.xStrideH + ix * params.xStrideW) + params.xOffset) / 2;
  return Source(select(vec4u(), at, inside), inside);
}

// Two channels c from tap on, of four channels o.
fn loadKernel(tap: u32, c: u32, column: u32) -> mat2x4f {
  let pitch = params.kernelStrideRow;
  if (TRANSPOSED) {
    let at = (tap + 4 * column * pitch + c) / 2;
    return transpose(mat4x2f(
      vec2f(kernel2[at]),
      vec2f(kernel2[at + pitch / 2]),
      vec2f(kernel2[at + pitch]),
      vec2f(kernel2[at + 3 * pitch / 2]),
    ));
  }
  let at = (tap + c * pitch) / 4 + column;
  return mat2x4f(vec4f(kernel[at]), vec4f(kernel[at + pitch / 4]));
}

fn loadX(source: Source, c: u32) -> mat4x2f {
  return mat4x2f(
    select(vec2f(), vec2f(x[source.at.x + c]), source.inside.x),
    select(vec2f(), vec2f(x[source.at.y + c]), source.inside.y),
    select(vec2f(), vec2f(x[source.at.z + c]), source.inside.z),
    select(vec2f(), vec2f(x[source.at.w + c]), source.inside.w),
  );
}

fn store(at: u32, column: u32, product: vec4f) {
  if (column >= params.co / 4) { return; }
  var sum = product;
  if (ACCUMULATE) { sum += vec4f(y[at + column]); }
  if (HAS_BIAS) { sum += vec4f(bias[column]); }
  if (ADD_RESIDUAL) { sum += vec4f(residual[at + column]); }
  if (RELU) { sum = select(sum, vec4f(), sum < vec4f()); } // lets NaN through, unlike max
  y[at + column] = Y4(sum);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixelTiles = (params.pixels + ROWS - 1) / ROWS;
  let tile = wid.y * nwg.x + wid.x;
  let tilePixel = tile % pixelTiles * ROWS;
  let column = tile / pixelTiles * 8 * COLS + lane;
  // Lanes past the last channel work on it once more and write nothing.
  let last = params.co / 4 - 1;
  let low = min(column, last);
  let high = min(column + 8, last);

  let pixels = pixelsFrom(tilePixel + 4 * lane);
  let morePixels = pixelsFrom(tilePixel + 32 + 4 * lane);
  var sums: Sums;
  for (var ky = 0u; ky < params.kh; ky++) {
    for (var kx = 0u; kx < params.kw; kx++) {
      let source = sourceOf(pixels, ky, kx);
      let more = sourceOf(morePixels, ky, kx);
      let tap = u32(i32(params.kernelOffset) + i32(ky) * params.kernelStrideH + i32(kx) * params.kernelStrideW);
      for (var c = 0u; c < params.ci; c += 2) {
        let rows = loadX(source, c / 2);
        let columns = loadKernel(tap, c, low);
        addRows(&sums, 0, ROWS, columns, rows);
        if (COLS > 1) { addRows(&sums, ROWS, ROWS, loadKernel(tap, c, high), rows); }
        if (PIXEL_GROUPS > 1) { addRows(&sums, 32, max(ROWS, 32) - 32, columns, loadX(more, c / 2)); }
      }
    }
  }

  let count = min(ROWS, params.pixels - tilePixel);
  for (var i = 0u; i < count; i++) {
    let outputAts = select(pixels.outputAt, morePixels.outputAt, vec4<bool>(i >= 32));
    let at = subgroupShuffle(outputAts[i % 4], i / 4 % 8);
    store(at, column, sums[i]);
    if (COLS > 1) { store(at, column + 8, sums[ROWS + i]); }
  }
}
