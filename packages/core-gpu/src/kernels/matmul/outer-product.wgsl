// c = op(a) op(b) + bias, relu of that if wanted, as a sum of outer products, for software adapters with subgroups of
// 8 lanes: the fastest there.
//
// Both operands are read in the order of k: step p needs a row of the transposed a and a row of b, and adds the product
// of every number of the one with every number of the other to the tile of sums. Each number is loaded once for the
// whole tile, by one lane; subgroupShuffle sends it to the other lanes.
//
//   a        [k, m] floats: rows aStrideRow floats apart, the columns of tile t from t * aStridePanel on (and not beyond aLastStart),
//            in a batch of matrices aStrideBatch floats apart, from aOffset on. A matrix that lies so in memory (transposeA)
//            has aStridePanel = ROWS, aStrideRow = m; pack.wgsl makes panels of any other: aStrideRow = ROWS, aStridePanel = ROWS * k.
//   b        [k, n] in the same way
//   c        [m, n]: rows cStrideRow floats apart, matrices cStrideBatch, the sums of split s cStrideSplit floats after those of split 0
//   bias     n floats from biasOffset on
//   thread   a workgroup is one subgroup and computes ROWS x 32 COLS elements of c:
//
//                         lane 0   lane 1         lane 7
//               columns   0 .. 3   4 .. 7   ..   28 .. 31    in each step of k lane l loads four of its own columns of
//               row 0      ####     ####           ####      b (two vec4 where COLS is 2) and rows 4 l .. 4 l + 3 of
//               row 1      ####     ####           ####      a (and 32 + 4 l .. where ROWS > 32): 2 or 3 loads of
//                ..                                          vec4f for 32 ROWS COLS multiply-adds
//
//   why      two steps of k at a time: with one the sums are fetched and put back too often (they are an array in memory,
//            as no CPU has registers for them), with four the code outgrows the instruction cache. The last loop has a
//            length that is not known when the shader is compiled, which keeps them an array: as variables they would
//            be spilled one by one.
//   cost     2 m n k FLOP; each workgroup reads (ROWS + 32 COLS) k floats; no shared memory, no barrier
//   needs    m, n and all strides and offsets but those of k divisible by 4; subgroups of exactly 8 lanes;
//            ROWS (a multiple of 4, at most 64), COLS (1 or 2, and 1 where ROWS > 32), EVEN_K (the number of steps of
//            every split is even), HAS_BIAS, RELU, ACCUMULATE (add to what is in c)

struct Params {
  m: u32,
  n: u32,
  k: u32,
  batch: u32,
  tilesM: u32,
  tilesN: u32,
  kPerSplit: u32,
  groups: u32,
  tileRows: u32, // ROWS, where the compiler cannot see it
  aOffset: u32,
  aStrideRow: u32,
  aStrideBatch: u32,
  aStridePanel: u32,
  aLastStart: u32,
  bOffset: u32,
  bStrideRow: u32,
  bStrideBatch: u32,
  bStridePanel: u32,
  bLastStart: u32,
  cOffset: u32,
  cStrideRow: u32,
  cStrideBatch: u32,
  cStrideSplit: u32,
  biasOffset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<A4>;
@group(0) @binding(2) var<storage, read> b: array<B4>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> c: array<C4>;

// #include "../shared/outer-product.wgsl"

fn loadA(at: u32, isTerm: bool) -> vec4f { return select(vec4f(), vec4f(a[at]), EVEN_K || isTerm); }
fn loadB(at: u32, isTerm: bool) -> vec4f { return select(vec4f(), vec4f(b[at]), EVEN_K || isTerm); }

fn store(at: u32, column: u32, product: vec4f) {
  if (column >= params.n) { return; }
  var value = product;
  if (ACCUMULATE) { value += vec4f(c[at]); }
  if (HAS_BIAS) { value += bias[(params.biasOffset + column) / 4]; }
  if (RELU) { value = select(value, vec4f(), value < vec4f()); } // lets NaN through, unlike max
  c[at] = C4(value);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = wid.y * nwg.x + wid.x;
  if (group >= params.groups) { return; }
  let tiles = params.tilesM * params.tilesN;
  let tile = group % tiles;
  let item = (group / tiles) % params.batch;
  let split = group / tiles / params.batch;
  let tileM = tile / params.tilesN;
  let tileN = tile % params.tilesN;
  let kBegin = split * params.kPerSplit;
  let kEnd = min(params.k, kBegin + params.kPerSplit);

  // In vec4f.
  let aStrideRow = params.aStrideRow / 4;
  let bStrideRow = params.bStrideRow / 4;
  let aStart = (params.aOffset + item * params.aStrideBatch) / 4 + kBegin * aStrideRow;
  let bStart = (params.bOffset + item * params.bStrideBatch) / 4 + kBegin * bStrideRow;
  var aLow = aStart + min(tileM * params.aStridePanel / 4 + lane, params.aLastStart / 4);
  var aHigh = aStart + min(tileM * params.aStridePanel / 4 + 8 + lane, params.aLastStart / 4);
  var bLow = bStart + min(tileN * params.bStridePanel / 4 + lane, params.bLastStart / 4);
  var bHigh = bStart + min(tileN * params.bStridePanel / 4 + 8 + lane, params.bLastStart / 4);

  var sums: Sums;
  for (var kk = kBegin; kk < kEnd; kk += 2) {
    let isTerm = kk + 1 < kEnd;
    let columns = mat2x4f(vec4f(b[bLow]), loadB(bLow + bStrideRow, isTerm));
    let rows = transpose(mat2x4f(vec4f(a[aLow]), loadA(aLow + aStrideRow, isTerm)));
    addRows(&sums, 0, ROWS, columns, rows);
    if (COLS > 1) {
      addRows(&sums, ROWS, ROWS, mat2x4f(vec4f(b[bHigh]), loadB(bHigh + bStrideRow, isTerm)), rows);
      bHigh += 2 * bStrideRow;
    }
    if (ROWS > 32) {
      addRows(&sums, 32, max(ROWS, 32) - 32, columns, transpose(mat2x4f(vec4f(a[aHigh]), loadA(aHigh + aStrideRow, isTerm))));
      aHigh += 2 * aStrideRow;
    }
    aLow += 2 * aStrideRow;
    bLow += 2 * bStrideRow;
  }

  let row = tileM * ROWS;
  let column = tileN * 32 * COLS + 4 * lane;
  let start = params.cOffset + item * params.cStrideBatch + split * params.cStrideSplit + row * params.cStrideRow + column;
  let count = min(params.tileRows, params.m - row);
  for (var i = 0u; i < count; i++) {
    let at = (start + i * params.cStrideRow) / 4;
    store(at, column, sums[i]);
    if (COLS > 1) { store(at + 8, column + 32, sums[ROWS + i]); }
  }
}
