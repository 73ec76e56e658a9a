// Convolution for GPUs: double-buffered tiles of both factors in shared memory, register tiles of the output.
//
// y[n, oy, ox, o] = sum over ky, kx, c of x[n, iy, ix, c] * kernel[ky, kx, c, o], iy = oy * strideH + ky * dilationH - padTop.
// Read as a matrix product with k = (ky, kx, c) summed; the matrix of x is looked up, never built (implicit GEMM). Rows
// are the pixels of all images of the batch, so that small images fill a tile together.
//
//   x, y    strided: element (n, row, column, channel) at n * Image + row * Row + column * Pixel + channel + Offset;
//           residual lies as y does
//   kernel  (ky, kx, c, o) dense from kernelOffset on, a matrix of kh * kw * ci rows and co columns
//   tile    16 * ROWS pixels x 64 * COLS channels for each workgroup of 16 x 16 threads, TILE_K steps of k at a time
//
//                    64 COLS channels                 thread (r, q) of the 16 x 16: pixels r * ROWS .. + ROWS, channels
//                  +------------+                     4 q .. 4 q + 3 and with COLS = 2 also 64 + 4 q ..: ROWS * COLS
//         TILE_K k  | kernelTile |                     vec4 of sums in registers
//          +----+  +------------+
//   16 *   | x  |  |            |                     neighbours in q read the same pixels (a broadcast) and
//   ROWS   |Tile|  |     y      |                     neighbouring vec4 of the kernel (no bank conflicts)
//   pixels +----+  +------------+
//
//   loop    Each thread fetches at most one vec4 of each factor for the next step before it computes the present one, and
//           puts it into the other half of shared memory after it: the fetch has the whole step to arrive, and one
//           barrier a step is enough. There is no bounds check in the loop: pixels and channels past the last ones are
//           clamped before it and dropped after it, and whether a tap lies inside the image is found out once a tap.
//   splits  Where there are few tiles, the sum over k is cut into parts; SPLIT writes each part's sums to its own share of
//           y, and combine-forward.wgsl adds them.
//   memory  2 * (16 * ROWS + 64 * COLS) * TILE_K * 4 bytes shared, 16 KiB at most
//   cost    2 * kh * kw * ci FLOP for each element of y; x is read co / (64 COLS) times, the kernel pixels / (16 ROWS);
//           4 COLS + ROWS shared vec4 loads for 16 ROWS COLS multiply-adds
//   needs   ci, co and all strides and offsets divisible by 4; kPerSplit divisible by TILE_K
//           ROWS (4 or 8), COLS (1 or 2), TILE_K (16 with 4 x 1, else 8), SPLIT,
//           HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds: a later part of a split sum)

// #include "tiled-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(3) var<storage, read> bias: array<Bias4>;
@group(0) @binding(4) var<storage, read> residual: array<Residual4>;
@group(0) @binding(5) var<storage, read_write> y: array<Y4>;

const K_VEC4 = TILE_K / 4; // vec4 along k of one pixel
const N_VEC4 = 16 * COLS; // vec4 of one row of the kernel
const X_TILE = 16 * ROWS * K_VEC4;
const KERNEL_TILE = TILE_K * N_VEC4;
var<workgroup> xTile: array<vec4f, 2 * X_TILE>; // [half][pixel][k / 4]
var<workgroup> kernelTile: array<vec4f, 2 * KERNEL_TILE>; // [half][k][channel / 4]

// #include "receptive-field.wgsl"
// #include "tiled-store.wgsl"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let pixelTiles = (params.pixels + 16 * ROWS - 1) / (16 * ROWS);
  let columns = params.co / 4;
  let columnTiles = (columns + N_VEC4 - 1) / N_VEC4;
  let tile = wid.y * nwg.x + wid.x;
  let tilePixel = tile % pixelTiles * 16 * ROWS;
  let tileColumn = tile / pixelTiles % columnTiles * N_VEC4;
  let split = tile / pixelTiles / columnTiles;
  let gemmK = params.kh * params.kw * params.ci;
  let begin = split * params.kPerSplit;
  let end = min(begin + params.kPerSplit, gemmK);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin > 0 && begin >= end) { return; }

  // What this thread fetches: k / 4 = lid % K_VEC4 of pixel lid / K_VEC4; row lid / N_VEC4 of the kernel, column lid % N_VEC4.
  let field = receptiveFieldOf(params.first + min(tilePixel + lid / K_VEC4, params.pixels - 1));
  var k = begin + lid % K_VEC4 * 4;
  var tap = tapOf(k);
  var source = sourceOf(field, tap);
  let loadColumn = min(tileColumn + lid % N_VEC4, columns - 1);
  var weightRow = begin + lid / N_VEC4;
  var fetchedX: vec4f;
  var fetchedKernel: vec4f;

  if (lid < X_TILE) { xTile[lid] = select(vec4f(), vec4f(x[source.at]), source.inside); }
  if (lid < KERNEL_TILE) {
    kernelTile[lid] = vec4f(kernel[params.kernelOffset / 4 + min(weightRow, max(gemmK, 1) - 1) * columns + loadColumn]);
  }
  workgroupBarrier();

  let q = lid % 16;
  let r = lid / 16;
  var sums: array<vec4f, ROWS * COLS>;
  var half = 0u;
  for (var done = begin; done < end; done += TILE_K) {
    let isLast = done + TILE_K >= end;
    if (!isLast) {
      k += TILE_K;
      tap.c += TILE_K;
      source.at += K_VEC4;
      if (tap.c >= params.ci) {
        tap = tapOf(k);
        source = sourceOf(field, tap);
      }
      weightRow += TILE_K;
      if (lid < X_TILE) { fetchedX = select(vec4f(), vec4f(x[select(0, source.at, source.inside)]), source.inside); }
      if (lid < KERNEL_TILE) {
        fetchedKernel = vec4f(kernel[params.kernelOffset / 4 + min(weightRow, gemmK - 1) * columns + loadColumn]);
      }
    }
    let xHalf = half * X_TILE + r * ROWS * K_VEC4;
    let kernelHalf = half * KERNEL_TILE + q;
    for (var step = 0u; step < K_VEC4; step++) {
      for (var j = 0u; j < COLS; j++) {
        let weights = mat4x4f(
          kernelTile[kernelHalf + 4 * step * N_VEC4 + 16 * j],
          kernelTile[kernelHalf + (4 * step + 1) * N_VEC4 + 16 * j],
          kernelTile[kernelHalf + (4 * step + 2) * N_VEC4 + 16 * j],
          kernelTile[kernelHalf + (4 * step + 3) * N_VEC4 + 16 * j],
        );
        for (var i = 0u; i < ROWS; i++) {
          sums[j * ROWS + i] += weights * xTile[xHalf + i * K_VEC4 + step];
        }
      }
    }
    half = 1 - half;
    if (!isLast) {
      if (lid < X_TILE) { xTile[half * X_TILE + lid] = fetchedX; }
      if (lid < KERNEL_TILE) { kernelTile[half * KERNEL_TILE + lid] = fetchedKernel; }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) {
    let index = tilePixel + r * ROWS + i;
    if (index < params.pixels) {
      let start = startOf(index, split);
      for (var j = 0u; j < COLS; j++) {
        let column = tileColumn + 16 * j + q;
        if (column < columns) { store(start, column, sums[j * ROWS + i]); }
      }
    }
  }
}
