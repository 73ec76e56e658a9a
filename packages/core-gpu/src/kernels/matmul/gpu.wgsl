// c = op(a) op(b) + bias, relu of that if wanted, for GPUs: tiles in shared memory, register tiles in threads.
//
// Global memory is far and shared memory near, registers nearer: a workgroup fetches a tile of a and one of b once,
// 16 steps of k at a time, and each thread multiplies ROWS rows by 4 columns of them out of registers.
//
//   a, b, c   as in naive.wgsl; a4 and b4 are the same memory as a and b, seen as vec4f, and are read instead of
//             them where VEC_A, VEC_B: rows and offsets are then multiples of 4 floats
//   thread    256 threads, 16 x 16; thread (x, y) computes rows ROWS y .. and columns 4 x .. of a tile of c that
//             is 16 ROWS x 64
//
//                            tileB  16 x 64                     tileA[row][q] holds steps 4 q .. 4 q + 3 of k,
//                            +-----------------+                tileB[step][x] holds columns 4 x .. 4 x + 3
//             tileA          | - - - x x x x - |
//             16 ROWS x 16   +-----------------+                a step of 4 along k takes ROWS + 4 reads of
//             +---+          |                 |                vec4f from shared memory for 16 ROWS
//             | y |          |       c c c c   |                multiply-adds
//             +---+          +-----------------+
//
//   shared    1024 ROWS + 4096 bytes
//   cost      2 m n k FLOP; each workgroup reads (16 ROWS + 64) k floats
//   needs     TRANSPOSE_A, TRANSPOSE_B, VEC_A, VEC_B; WHOLE_N (n is a multiple of 4);
//             HAS_BIAS, RELU, ACCUMULATE (add to what is in c); ROWS (1, 2, 4 or 8)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> a4: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> b4: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> c: array<f32>;

var<workgroup> tileA: array<array<vec4f, 4>, 16 * ROWS>;
var<workgroup> tileB: array<array<vec4f, 16>, 16>;

// Four neighbours along k of one row of op(a).
fn loadA(start: u32, row: u32, kk: u32) -> vec4f {
  if (TRANSPOSE_A) {
    let at = start + kk * params.aRow + row;
    return vec4f(a[at], a[at + params.aRow], a[at + 2 * params.aRow], a[at + 3 * params.aRow]);
  }
  let at = start + row * params.aRow + kk;
  if (VEC_A) { return a4[at / 4]; }
  return vec4f(a[at], a[at + 1], a[at + 2], a[at + 3]);
}

// Four neighbouring columns of one row of op(b).
fn loadB(start: u32, kk: u32, column: u32) -> vec4f {
  if (TRANSPOSE_B) {
    let at = start + column * params.bRow + kk;
    return vec4f(b[at], b[at + params.bRow], b[at + 2 * params.bRow], b[at + 3 * params.bRow]);
  }
  let at = start + kk * params.bRow + column;
  if (VEC_B) { return b4[at / 4]; }
  return vec4f(b[at], b[at + 1], b[at + 2], b[at + 3]);
}

// Fetches the tile of a that starts at (row, kk). Neighbouring threads fetch neighbouring memory: along k, or along
// the rows where a is transposed. Terms from kEnd on count as zero.
fn fillA(start: u32, row: u32, kk: u32, kEnd: u32, lid: u32) {
  for (var i = lid; i < 64 * ROWS; i += 256) {
    var r = i / 4;
    var q = i % 4;
    if (TRANSPOSE_A) {
      r = i % (16 * ROWS);
      q = i / (16 * ROWS);
    }
    let steps = vec4u(0, 1, 2, 3) + kk + 4 * q;
    tileA[r][q] = select(vec4f(), loadA(start, row + r, kk + 4 * q), steps < vec4u(kEnd));
  }
}

// Fetches the tile of b that starts at (kk, column), one vec4f for each thread.
fn fillB(start: u32, kk: u32, kEnd: u32, column: u32, lid: u32) {
  var step = lid / 16;
  var x = lid % 16;
  if (TRANSPOSE_B) {
    step = lid % 16;
    x = lid / 16;
  }
  tileB[step][x] = select(vec4f(), loadB(start, kk + step, column + 4 * x), kk + step < kEnd);
}

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
  let column = (tile % params.tilesN) * 64;
  let x = lid % 16;
  let y = lid / 16;
  let aStart = params.aOffset + item * params.aBatch;
  let bStart = params.bOffset + item * params.bBatch;
  let cStart = params.cOffset + item * params.cBatch + split * params.cSplit;
  let kBegin = split * params.kPerSplit;
  let kEnd = min(params.k, kBegin + params.kPerSplit);

  var sums: array<vec4f, ROWS>;
  for (var kk = kBegin; kk < kEnd; kk += 16) {
    fillA(aStart, row, kk, kEnd, lid);
    fillB(bStart, kk, kEnd, column, lid);
    workgroupBarrier();
    for (var q = 0u; q < 4; q++) {
      let block = mat4x4f(tileB[4 * q][x], tileB[4 * q + 1][x], tileB[4 * q + 2][x], tileB[4 * q + 3][x]);
      for (var r = 0u; r < ROWS; r++) { sums[r] += block * tileA[y * ROWS + r][q]; }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < ROWS; r++) { store(cStart, row + y * ROWS + r, column + 4 * x, sums[r]); }
}
