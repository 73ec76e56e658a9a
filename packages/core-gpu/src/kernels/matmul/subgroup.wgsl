// c = op(a) op(b) + bias, relu of that if wanted: tiles in registers, rows of a broadcast within subgroups.
//
// A software adapter with subgroups of 8 lanes runs one of them as one vector of the CPU and fetches every load lane by
// lane, so loads are expensive and arithmetic is cheap: each lane keeps ROWS x 4 sums in registers, loads its own four columns
// of b, and of a only one row in eight, which subgroupBroadcast sends to the others. No shared memory: barriers cost more than they
// save. On some GPUs a broadcast costs nothing, and 'convbase tune' tries workgroups of more lanes there: of subgroups of any size
// from 8 on, since lanes 0 to 7 of each hold the rows, and columns go by the place in the workgroup.
//
//   a, b, c   as in naive.wgsl; a4 and b4 are the same memory as a and b, seen as vec4f, and are read instead of
//             them where VEC_A, VEC_B: rows and offsets are then multiples of 4 floats
//   thread    a workgroup of LANES computes a tile of ROWS x 4 LANES of c, lane l four columns; with 8 of them:
//
//                        lane 0  lane 1 ..  lane 7         in each step of 4 along k, lane l loads
//               row 0    x x x x x x x x    x x x x          b  4 rows x its 4 columns         (4 loads)
//               ..                                           a  row l % 8 (and l % 8 + 8) x 4  (1 or 2 loads)
//               row 15   x x x x x x x x    x x x x        for ROWS * 16 multiply-adds
//
//   cost      2 m n k FLOP; each workgroup reads (ROWS + 4 LANES) k floats
//   needs     TRANSPOSE_A, TRANSPOSE_B, VEC_A, VEC_B; WHOLE_K, WHOLE_N (k, n are multiples of 4);
//             HAS_BIAS, RELU, ACCUMULATE (add to what is in c); ROWS (8 or 16); LANES (a multiple of 8); subgroups of at
//             least 8 lanes

enable subgroups;

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> a4: array<A4>;
@group(0) @binding(3) var<storage, read> b: array<B>;
@group(0) @binding(4) var<storage, read> b4: array<B4>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> c: array<C>;

alias Rows = array<vec4f, 8>;

// Four columns of 8 rows of op(a), the same in every lane; 'lane' counts to 7, again and again.
fn loadA(start: u32, row: u32, kk: u32, lane: u32) -> Rows {
  if (TRANSPOSE_A) {
    // Lane l loads rows 4 (l % 2) .. + 3 of column kk + l / 2; each 4 x 4 block is then transposed.
    let mine = loadA4(start + (kk + lane / 2) * params.aStrideRow + row + 4 * (lane % 2));
    let low = transpose(mat4x4f(
      subgroupBroadcast(mine, 0u),
      subgroupBroadcast(mine, 2u),
      subgroupBroadcast(mine, 4u),
      subgroupBroadcast(mine, 6u),
    ));
    let high = transpose(mat4x4f(
      subgroupBroadcast(mine, 1u),
      subgroupBroadcast(mine, 3u),
      subgroupBroadcast(mine, 5u),
      subgroupBroadcast(mine, 7u),
    ));
    return Rows(low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]);
  }
  let mine = loadA4(start + (row + lane) * params.aStrideRow + kk);
  return Rows(
    subgroupBroadcast(mine, 0u),
    subgroupBroadcast(mine, 1u),
    subgroupBroadcast(mine, 2u),
    subgroupBroadcast(mine, 3u),
    subgroupBroadcast(mine, 4u),
    subgroupBroadcast(mine, 5u),
    subgroupBroadcast(mine, 6u),
    subgroupBroadcast(mine, 7u),
  );
}

fn loadA4(at: u32) -> vec4f {
  if (VEC_A) { return vec4f(a4[at / 4]); }
  return vec4f(f32(a[at]), f32(a[at + 1]), f32(a[at + 2]), f32(a[at + 3]));
}

// #include "load-b.wgsl"

fn multiply(sums: ptr<function, Rows>, rows: Rows, block: mat4x4f) {
  (*sums)[0] += block * rows[0];
  (*sums)[1] += block * rows[1];
  (*sums)[2] += block * rows[2];
  (*sums)[3] += block * rows[3];
  (*sums)[4] += block * rows[4];
  (*sums)[5] += block * rows[5];
  (*sums)[6] += block * rows[6];
  (*sums)[7] += block * rows[7];
}

// One term of the sum, for what is left of k.
fn multiplyOne(sums: ptr<function, Rows>, aStart: u32, row: u32, kk: u32, lane: u32, bRow: vec4f) {
  let mine = f32(a[aStart + select((row + lane) * params.aStrideRow + kk, kk * params.aStrideRow + row + lane, TRANSPOSE_A)]);
  (*sums)[0] += bRow * subgroupBroadcast(mine, 0u);
  (*sums)[1] += bRow * subgroupBroadcast(mine, 1u);
  (*sums)[2] += bRow * subgroupBroadcast(mine, 2u);
  (*sums)[3] += bRow * subgroupBroadcast(mine, 3u);
  (*sums)[4] += bRow * subgroupBroadcast(mine, 4u);
  (*sums)[5] += bRow * subgroupBroadcast(mine, 5u);
  (*sums)[6] += bRow * subgroupBroadcast(mine, 6u);
  (*sums)[7] += bRow * subgroupBroadcast(mine, 7u);
}

fn storeRows(start: u32, row: u32, column: u32, sums: Rows) {
  store(start, row, column, sums[0]);
  store(start, row + 1, column, sums[1]);
  store(start, row + 2, column, sums[2]);
  store(start, row + 3, column, sums[3]);
  store(start, row + 4, column, sums[4]);
  store(start, row + 5, column, sums[5]);
  store(start, row + 6, column, sums[6]);
  store(start, row + 7, column, sums[7]);
}

// #include "store.wgsl"

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) nwg: vec3u,
  @builtin(local_invocation_index) lid: u32,
  @builtin(subgroup_invocation_id) sid: u32,
) {
  let group = wid.y * nwg.x + wid.x;
  if (group >= params.groups) { return; }
  let tiles = params.tilesM * params.tilesN;
  let tile = group % tiles;
  let item = (group / tiles) % params.batch;
  let split = group / tiles / params.batch;
  let row = (tile / params.tilesN) * ROWS;
  let column = (tile % params.tilesN) * 4 * LANES + 4 * lid;
  let lane = sid % 8;
  let aStart = params.aOffset + item * params.aStrideBatch;
  let bStart = params.bOffset + item * params.bStrideBatch;
  let cStart = params.cOffset + item * params.cStrideBatch + split * params.cStrideSplit;
  let kBegin = split * params.kPerSplit;
  let kEnd = min(params.k, kBegin + params.kPerSplit);

  var low: Rows;
  var high: Rows;
  var kk = kBegin;
  for (; kk + 4 <= kEnd; kk += 4) {
    let block = loadB(bStart, kk, column);
    multiply(&low, loadA(aStart, row, kk, lane), block);
    if (ROWS > 8) { multiply(&high, loadA(aStart, row + 8, kk, lane), block); }
  }
  if (!WHOLE_K) {
    for (; kk < kEnd; kk++) {
      let bRow = loadOneB(bStart, kk, column);
      multiplyOne(&low, aStart, row, kk, lane, bRow);
      if (ROWS > 8) { multiplyOne(&high, aStart, row + 8, kk, lane, bRow); }
    }
  }

  storeRows(cStart, row, column, low);
  if (ROWS > 8) { storeRows(cStart, row + 8, column, high); }
}
