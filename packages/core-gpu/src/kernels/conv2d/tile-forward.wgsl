// Convolution for GPUs: shared-memory tiles of both factors, register tiles of the output.
//
// y[n, oy, ox, o] = sum over ky, kx, c of x[n, iy, ix, c] * kernel[ky, kx, c, o], iy = oy * strideH + ky * dilationH - top.
// Read as a matrix product with k = (ky, kx, c) summed; the matrix of x is looked up, never built (implicit GEMM).
//
//   x, y    strided: element (n, row, column, channel) at n * Image + row * Row + column * Pixel + channel + Offset;
//           residual lies as y does
//   kernel  a matrix (c, o) for each tap, or with TRANSPOSED a matrix (o, c), placed as params.wgsl says
//   tile    16 * ROWS pixels x 64 channels for each workgroup of 16 x 16 threads, 16 steps of k at a time
//
//                    64 channels                      thread (r, q) of the 16 x 16: pixels r * ROWS .. + ROWS,
//                  +------------+                     channels 4 q .. 4 q + 3: ROWS vec4 sums in registers
//            16 k  | kernelTile |
//          +----+  +------------+                     neighbours in q read the same pixels (a broadcast) and
//   16 *   | x  |  |            |                     neighbouring vec4 of the kernel (no bank conflicts)
//   ROWS   |Tile|  |     y      |
//   pixels +----+  +------------+
//
//   memory  (16 * ROWS * 16 + 16 * 64) * 4 bytes shared: 12 KiB with ROWS = 8
//   cost    2 * kh * kw * ci FLOP for each element of y; x is read co / 64 times, the kernel pixels / (16 * ROWS) times
//   needs   ci, co and all strides and offsets divisible by 4; ROWS a multiple of 4
//           ROWS, TRANSPOSED, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds: a later part of a sum cut in pieces)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> kernel: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

const LOADS = ROWS / 4; // vec4 of x that each thread brings into the tile
var<workgroup> xTile: array<vec4f, 16 * ROWS * 4>; // [pixel][k / 4]
var<workgroup> kernelTile: array<vec4f, 16 * 16>; // [k][channel / 4]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let pixelTiles = (params.pixels + 16 * ROWS - 1) / (16 * ROWS);
  let columns = params.co / 4;
  let tile = wid.y * nwg.x + wid.x;
  let tilePixel = tile % pixelTiles * 16 * ROWS;
  let tileColumn = tile / pixelTiles * 16;
  // A folded grid may have a few workgroups more than there are tiles.
  if (tileColumn >= columns) { return; }
  let depth = params.kh * params.kw * params.ci;

  // This thread's pixels of the x tile, lid / 4 and every 64th after it: where their windows start.
  var image: array<u32, LOADS>;
  var startRow: array<i32, LOADS>;
  var startColumn: array<i32, LOADS>;
  for (var j = 0u; j < LOADS; j++) {
    let pixel = params.first + min(tilePixel + 64 * j + lid / 4, params.pixels - 1);
    let row = pixel / params.ow;
    image[j] = row / params.oh * params.xImage;
    startRow[j] = i32(row % params.oh * params.strideH) - params.top;
    startColumn[j] = i32(pixel % params.ow * params.strideW) - params.left;
  }
  // This thread's k of the x tile, as tap and channel; they move on by 16 with every step.
  var c = lid % 4 * 4;
  var ky = 0u;
  var kx = 0u;
  while (c >= params.ci) { c -= params.ci; kx++; if (kx == params.kw) { kx = 0; ky++; } }

  let q = lid % 16;
  let r = lid / 16;
  // And its k of the kernel tile.
  var wc = r;
  var wky = 0u;
  var wkx = 0u;
  while (wc >= params.ci) { wc -= params.ci; wkx++; if (wkx == params.kw) { wkx = 0; wky++; } }
  let loadColumn = min(tileColumn + q, columns - 1);
  var sums: array<vec4f, ROWS>;
  for (var k = 0u; k < depth; k += 16) {
    for (var j = 0u; j < LOADS; j++) {
      let iy = startRow[j] + i32(ky * params.dilationH);
      let ix = startColumn[j] + i32(kx * params.dilationW);
      let inside = ky < params.kh && u32(iy) < params.h && u32(ix) < params.w;
      let at = u32(i32(image[j] + u32(iy) * params.xRow + u32(ix) * params.xPixel + c) + params.xOffset) / 4;
      xTile[(64 * j + lid / 4) * 4 + lid % 4] = select(vec4f(), x[select(0, at, inside)], inside);
    }
    if (TRANSPOSED) {
      // Four channels of one column: this thread's k of the x tile, and column lid / 4 of the tile.
      let tap = i32(params.kernelOffset) + i32(ky) * params.kernelRow + i32(kx) * params.kernelTap;
      let row = min(tileColumn * 4 + lid / 4, params.co - 1) * params.kernelPitch;
      let four = select(vec4f(), kernel[select(0, (u32(tap) + row + c) / 4, ky < params.kh)], ky < params.kh);
      for (var i = 0u; i < 4; i++) {
        kernelTile[(lid % 4 * 4 + i) * 16 + lid / 16][lid / 4 % 4] = four[i];
      }
    } else {
      let inDepth = wky < params.kh;
      let tap = i32(params.kernelOffset) + i32(wky) * params.kernelRow + i32(wkx) * params.kernelTap;
      let weight = (u32(tap) + wc * params.kernelPitch) / 4 + loadColumn;
      kernelTile[lid] = select(vec4f(), kernel[select(0, weight, inDepth)], inDepth);
      wc += 16;
      while (wc >= params.ci) { wc -= params.ci; wkx++; if (wkx == params.kw) { wkx = 0; wky++; } }
    }
    c += 16;
    while (c >= params.ci) { c -= params.ci; kx++; if (kx == params.kw) { kx = 0; ky++; } }
    workgroupBarrier();
    for (var step = 0u; step < 4; step++) {
      let weights = mat4x4f(
        kernelTile[64 * step + q],
        kernelTile[64 * step + 16 + q],
        kernelTile[64 * step + 32 + q],
        kernelTile[64 * step + 48 + q],
      );
      for (var i = 0u; i < ROWS; i++) {
        sums[i] += weights * xTile[(r * ROWS + i) * 4 + step];
      }
    }
    workgroupBarrier();
  }

  let column = tileColumn + q;
  for (var i = 0u; i < ROWS; i++) {
    let index = tilePixel + r * ROWS + i;
    if (index < params.pixels && column < columns) {
      let row = (params.first + index) / params.ow;
      let ox = (params.first + index) % params.ow;
      let pixel = row / params.oh * params.yImage + row % params.oh * params.yRow + ox * params.yPixel;
      let at = u32(i32(pixel) + params.yOffset) / 4 + column;
      var sum = sums[i];
      if (ACCUMULATE) { sum += y[at]; }
      if (HAS_BIAS) { sum += bias[column]; }
      if (ADD_RESIDUAL) { sum += residual[at]; }
      if (RELU) { sum = select(sum, vec4f(), sum < vec4f()); } // lets NaN through, unlike max
      y[at] = sum;
    }
  }
}
