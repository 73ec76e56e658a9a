// c = op(a) op(b) + bias, relu of that if wanted, for GPUs: tiles in shared memory, register tiles in threads.
//
// Shared memory is faster than global memory, and registers are faster still: a workgroup loads a tile of a and one of b once,
// 4 K_VEC4 steps of k at a time, and each thread multiplies ROWS rows by 4 COLS columns of them out of registers. While
// it does, its part of the next two tiles is being loaded: each thread fetches at most one vec4f of a and one of b into
// registers, multiplies, and only then stores them to the other half of shared memory (double buffering), so that no
// one waits for global memory and one barrier a round is enough.
//
//   a, b, c   as in naive.wgsl; a4 and b4 are the same memory as a and b, seen as vec4f, and are read instead of
//             them where VEC_A, VEC_B: rows and offsets are then multiples of 4 floats
//   thread    256 threads, 16 x 16; thread (x, y) computes rows ROWS y .. and columns 4 x .. (where COLS is 2 also
//             64 + 4 x ..) of a tile of c that is 16 ROWS x 64 COLS
//
//                              tileB  4 K_VEC4 x 64 COLS              tileA[row][q] holds steps 4 q .. 4 q + 3 of k,
//                              +-----------------------+             tileB[step][x] holds columns 4 x .. 4 x + 3
//               tileA          | - - x x - - - x x - - |
//               16 ROWS        +-----------------------+             a step of 4 along k takes ROWS + 4 COLS reads of
//               x 4 K_VEC4      +-----------------------+             vec4f from shared memory for 16 ROWS COLS
//               +-----+        |                       |             multiply-adds: 16 for 256 with a tile of
//               |  y  |        |     c c       c c     |             128 x 128, of which every 16 threads share the
//               +-----+        +-----------------------+             address, so that banks are read without conflict
//
//   edges     the inner loop checks nothing where WHOLE_K (k is a multiple of 4 K_VEC4); rows and columns past the edge
//             are computed from whatever memory holds, and are not stored
//   shared    (64 ROWS + 256 COLS) * 4 K_VEC4 * 2 bytes: 16 KiB with (ROWS, COLS, K_VEC4) = (8, 2, 2) or (4, 1, 4)
//   cost      2 m n k FLOP; each workgroup reads (16 ROWS + 64 COLS) k floats
//   needs     TRANSPOSE_A, TRANSPOSE_B, VEC_A, VEC_B; WHOLE_N (n is a multiple of 4); WHOLE_K;
//             HAS_BIAS, RELU, ACCUMULATE (add to what is in c); ROWS (1, 2, 4 or 8), COLS (1 or 2), K_VEC4 (2 or 4, and
//             2 where ROWS is 8 or COLS is 2)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> a4: array<A4>;
@group(0) @binding(3) var<storage, read> b: array<B>;
@group(0) @binding(4) var<storage, read> b4: array<B4>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> c: array<C>;

const TILE_K = 4 * K_VEC4;
const A_VEC4 = 16 * ROWS * K_VEC4; // vec4f in a tile of a: at most one for each thread
const B_VEC4 = 16 * COLS * TILE_K;

var<workgroup> tileA: array<array<array<vec4f, K_VEC4>, 16 * ROWS>, 2>;
var<workgroup> tileB: array<array<array<vec4f, 16 * COLS>, TILE_K>, 2>;

// #include "load-vec4.wgsl"
// #include "store.wgsl"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let group = wid.y * nwg.x + wid.x;
  if (group >= params.groups) { return; }
  let tiles = params.tilesM * params.tilesN;
  let tile = group % tiles;
  let item = (group / tiles) % params.batch;
  let split = group / tiles / params.batch;
  let row = (tile / params.tilesN) * 16 * ROWS;
  let column = (tile % params.tilesN) * 64 * COLS;
  let x = lid % 16;
  let y = lid / 16;
  let kBegin = split * params.kPerSplit;
  let kEnd = min(params.k, kBegin + params.kPerSplit);

  // Which vec4f of the tiles this thread fetches. Neighbouring threads fetch neighbouring memory: along k, or across
  // it where the operand lies that way.
  let aR = select(lid / K_VEC4, lid % (16 * ROWS), TRANSPOSE_A);
  let aQ = select(lid % K_VEC4, lid / (16 * ROWS), TRANSPOSE_A);
  let bStep = select(lid / (16 * COLS), lid % TILE_K, TRANSPOSE_B);
  let bX = select(lid % (16 * COLS), lid / TILE_K, TRANSPOSE_B);
  let aAlong = select(1, params.aStrideRow, TRANSPOSE_A);
  let bAlong = select(params.bStrideRow, 1, TRANSPOSE_B);
  var aAt = params.aOffset + item * params.aStrideBatch + (row + aR) * select(params.aStrideRow, 1, TRANSPOSE_A) + (kBegin + 4 * aQ) * aAlong;
  var bAt = params.bOffset + item * params.bStrideBatch + (column + 4 * bX) * select(1, params.bStrideRow, TRANSPOSE_B) + (kBegin + bStep) * bAlong;
  let fetchesA = lid < A_VEC4;
  let fetchesB = lid < B_VEC4;

  var sums: array<vec4f, ROWS * COLS>;
  var half = 0u;
  // Each round fetches the tiles at kk, multiplies those of the round before, and stores the fetched ones beside them.
  for (var kk = kBegin; kk < kEnd + TILE_K; kk += TILE_K) {
    var nextA: vec4f;
    var nextB: vec4f;
    if (kk < kEnd) {
      if (fetchesA) {
        nextA = loadA(aAt);
        if (!WHOLE_K) { nextA = select(vec4f(), nextA, vec4u(0, 1, 2, 3) + kk + 4 * aQ < vec4u(kEnd)); }
      }
      if (fetchesB) {
        nextB = loadB(bAt);
        if (!WHOLE_K) { nextB = select(vec4f(), nextB, kk + bStep < kEnd); }
      }
      aAt += TILE_K * aAlong;
      bAt += TILE_K * bAlong;
    }
    if (kk > kBegin) {
      for (var q = 0u; q < K_VEC4; q++) {
        let near = mat4x4f(
          tileB[half][4 * q][x], tileB[half][4 * q + 1][x], tileB[half][4 * q + 2][x], tileB[half][4 * q + 3][x]);
        let far = mat4x4f(
          tileB[half][4 * q][x + 16 * (COLS - 1)], tileB[half][4 * q + 1][x + 16 * (COLS - 1)],
          tileB[half][4 * q + 2][x + 16 * (COLS - 1)], tileB[half][4 * q + 3][x + 16 * (COLS - 1)]);
        for (var r = 0u; r < ROWS; r++) {
          let four = tileA[half][y * ROWS + r][q];
          sums[r * COLS] += near * four;
          if (COLS > 1) { sums[r * COLS + COLS - 1] += far * four; }
        }
      }
    }
    half = 1 - half;
    if (kk < kEnd) {
      if (fetchesA) { tileA[half][aR][aQ] = nextA; }
      if (fetchesB) { tileB[half][bStep][bX] = nextB; }
    }
    workgroupBarrier();
  }

  let start = params.cOffset + item * params.cStrideBatch + split * params.cStrideSplit;
  for (var r = 0u; r < ROWS; r++) {
    store(start, row + y * ROWS + r, column + 4 * x, sums[r * COLS]);
    if (COLS > 1) { store(start, row + y * ROWS + r, column + 64 + 4 * x, sums[r * COLS + COLS - 1]); }
  }
}
