// Filter gradient for GPUs: double-buffered tiles of both factors in shared memory, register tiles of the output.
//
// dkernel[ky, kx, c, o] = sum over n, oy, ox of x[n, iy, ix, c] * dy[n, oy, ox, o], iy = oy * strideH + ky * dilationH - padTop.
// Read as a matrix product: rows are weights (ky, kx, c), columns are output channels o, and the summed index runs
// over the output pixels of all images.
//
//   x        strided: element (n, row, column, channel) at n * xStrideN + row * xStrideH + column * xStrideW + channel + xOffset
//   dy       pixel p (counted through n, oy, ox) at p * yStrideW + yOffset
//   dkernel  (kh, kw, ci, co) dense; workgroup's share s of the pixels adds up to the one at s * splitStride
//   tile     16 * ROWS rows x 64 * COLS columns for each workgroup of 16 x 16 threads, TILE_K pixels at a time
//
//               64 COLS columns o            thread (r, q) of the 16 x 16: rows r * ROWS .. + ROWS, columns
//     16     +-----------------+             4 q .. 4 q + 3 and with COLS = 2 also 64 + 4 q .. : an outer product of
//     ROWS   |     dkernel     |             ROWS / 4 + COLS vec4 for each pixel
//     rows   +-----------------+  = xTile^T (TILE_K pixels x rows) * dyTile (TILE_K pixels x columns)
//
//   loop     as in tiled-forward.wgsl: the next pixels are fetched while the present ones are multiplied, one barrier a step
//   memory   2 * (16 * ROWS + 64 * COLS) * TILE_K * 4 bytes shared, 16 KiB at most
//   cost     2 * pixels FLOP for each weight; x is read co / (64 COLS) times, dy kh * kw * ci / (16 ROWS) times
//   needs    ci, co and all strides and offsets divisible by 4
//            ROWS (4 or 8), COLS (1 or 2), TILE_K (16 with 4 x 1, else 8), ACCUMULATE (add to what dkernel holds)

// #include "filter-gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> dy: array<Dy4>;
@group(0) @binding(3) var<storage, read_write> dkernel: array<vec4f>;

const M_VEC4 = 4 * ROWS; // vec4 of rows
const N_VEC4 = 16 * COLS; // vec4 of columns
const X_TILE = TILE_K * M_VEC4;
const DY_TILE = TILE_K * N_VEC4;
var<workgroup> xTile: array<vec4f, 2 * X_TILE>; // [half][pixel][row / 4]
var<workgroup> dyTile: array<vec4f, 2 * DY_TILE>; // [half][pixel][column / 4]

// An output pixel: its image, row and column.
struct Pixel {
  n: u32,
  oy: u32,
  ox: u32,
}

// The tap and the channel of a row of dkernel: how far from the pixel's place in x.
struct Tap {
  down: i32,
  right: i32,
  c: u32,
}

fn fetchX(pixel: Pixel, tap: Tap, isPixel: bool) -> vec4f {
  let iy = i32(pixel.oy * params.strideH) + tap.down;
  let ix = i32(pixel.ox * params.strideW) + tap.right;
  let inside = isPixel && u32(iy) < params.h && u32(ix) < params.w;
  let at = pixel.n * params.xStrideN + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW + tap.c;
  return select(vec4f(), vec4f(x[select(0, u32(i32(at) + params.xOffset) / 4, inside)]), inside);
}

fn fetchDy(p: u32, column: u32, isPixel: bool) -> vec4f {
  let at = u32(i32(p * params.yStrideW) + params.yOffset) / 4 + column;
  return select(vec4f(), vec4f(dy[select(0, at, isPixel)]), isPixel);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let rows = params.kh * params.kw * params.ci / 4;
  let columns = params.co / 4;
  let rowTiles = (rows + M_VEC4 - 1) / M_VEC4;
  let columnTiles = (columns + N_VEC4 - 1) / N_VEC4;
  let tile = wid.y * nwg.x + wid.x;
  let tileRow = tile % rowTiles * M_VEC4;
  let tileColumn = tile / rowTiles % columnTiles * N_VEC4;
  let split = tile / rowTiles / columnTiles;
  let begin = params.first + split * params.pixelsPerSplit;
  let end = min(begin + params.pixelsPerSplit, params.first + params.pixels);
  // A folded grid may have a few workgroups more than there are tiles.
  if (begin >= end) { return; }

  // What this thread fetches: pixel lid / M_VEC4 of x, vec4 lid % M_VEC4 of its rows; and the same of dy's columns.
  let row = min(tileRow + lid % M_VEC4, rows - 1);
  let tapIndex = row / (params.ci / 4);
  let tap = Tap(
    i32(tapIndex / params.kw * params.dilationH) - params.padTop,
    i32(tapIndex % params.kw * params.dilationW) - params.padLeft,
    row % (params.ci / 4) * 4,
  );
  let loadColumn = min(tileColumn + lid % N_VEC4, columns - 1);
  var xp = begin + lid / M_VEC4;
  var dyp = begin + lid / N_VEC4;
  var pixel = Pixel(xp / params.ow / params.oh, xp / params.ow % params.oh, xp % params.ow);
  var fetchedX: vec4f;
  var fetchedDy: vec4f;
  if (lid < X_TILE) { xTile[lid] = fetchX(pixel, tap, xp < end); }
  if (lid < DY_TILE) { dyTile[lid] = fetchDy(dyp, loadColumn, dyp < end); }
  workgroupBarrier();

  let q = lid % 16;
  let r = lid / 16;
  var sums: array<vec4f, ROWS * COLS>;
  var half = 0u;
  for (var p = begin; p < end; p += TILE_K) {
    let isLast = p + TILE_K >= end;
    if (!isLast) {
      xp += TILE_K;
      dyp += TILE_K;
      pixel.ox += TILE_K;
      while (pixel.ox >= params.ow) {
        pixel.ox -= params.ow;
        pixel.oy++;
        if (pixel.oy == params.oh) { pixel.oy = 0; pixel.n++; }
      }
      if (lid < X_TILE) { fetchedX = fetchX(pixel, tap, xp < end); }
      if (lid < DY_TILE) { fetchedDy = fetchDy(dyp, loadColumn, dyp < end); }
    }
    for (var i = 0u; i < TILE_K; i++) {
      for (var j = 0u; j < COLS; j++) {
        let gradients = dyTile[half * DY_TILE + i * N_VEC4 + 16 * j + q];
        for (var part = 0u; part < ROWS / 4; part++) {
          let input = xTile[half * X_TILE + i * M_VEC4 + r * (ROWS / 4) + part];
          sums[j * ROWS + 4 * part] += input.x * gradients;
          sums[j * ROWS + 4 * part + 1] += input.y * gradients;
          sums[j * ROWS + 4 * part + 2] += input.z * gradients;
          sums[j * ROWS + 4 * part + 3] += input.w * gradients;
        }
      }
    }
    half = 1 - half;
    if (!isLast) {
      if (lid < X_TILE) { xTile[half * X_TILE + lid] = fetchedX; }
      if (lid < DY_TILE) { dyTile[half * DY_TILE + lid] = fetchedDy; }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) {
    let weight = tileRow * 4 + r * ROWS + i;
    if (weight < rows * 4) {
      let start = (params.kernelOffset + split * params.splitStride) / 4 + weight * columns;
      for (var j = 0u; j < COLS; j++) {
        let column = tileColumn + 16 * j + q;
        if (column < columns) {
          var sum = sums[j * ROWS + i];
          if (ACCUMULATE) { sum += dkernel[start + column]; }
          dkernel[start + column] = sum;
        }
      }
    }
  }
}
