// c = op(a) op(b) + bias, relu of that if wanted, for software adapters without subgroups.
//
// Such an adapter fetches every load lane by lane, so loads are expensive and arithmetic is cheap: each thread keeps 8 x 4
// sums in registers and uses every value it loads 8 or 4 times. No shared memory: barriers cost more than they save.
//
//   a, b, c   as in naive.wgsl; a4 and b4 are the same memory as a and b, seen as vec4f, and are read instead of
//             them where VEC_A, VEC_B: rows and offsets are then multiples of 4 floats
//   thread    8 rows x 4 columns of c; a workgroup is 8 threads side by side, a tile of 8 x 32
//
//                       thread 0  thread 1 .. thread 7       in each step of 4 along k, a thread loads
//               row 0    x x x x   x x x x     x x x x         b  4 rows x its 4 columns   (4 loads)
//               ..                                             a  8 rows x 4               (8 loads)
//               row 7    x x x x   x x x x     x x x x       for 128 multiply-adds
//
//   cost      2 m n k FLOP
//   needs     TRANSPOSE_A, TRANSPOSE_B, VEC_A, VEC_B; WHOLE_K, WHOLE_N (k, n are multiples of 4);
//             HAS_BIAS, RELU, ACCUMULATE (add to what is in c)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> a4: array<A4>;
@group(0) @binding(3) var<storage, read> b: array<B>;
@group(0) @binding(4) var<storage, read> b4: array<B4>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> c: array<C>;

// Four neighbours along k of one row of op(a).
fn loadA(start: u32, row: u32, kk: u32) -> vec4f {
  if (TRANSPOSE_A) {
    let at = start + kk * params.aStrideRow + row;
    return vec4f(f32(a[at]), f32(a[at + params.aStrideRow]), f32(a[at + 2 * params.aStrideRow]), f32(a[at + 3 * params.aStrideRow]));
  }
  let at = start + row * params.aStrideRow + kk;
  if (VEC_A) { return vec4f(a4[at / 4]); }
  return vec4f(f32(a[at]), f32(a[at + 1]), f32(a[at + 2]), f32(a[at + 3]));
}

// #include "load-b.wgsl"

// One element of op(a), for what is left of k.
fn loadOneA(start: u32, row: u32, kk: u32) -> f32 {
  return f32(a[start + select(row * params.aStrideRow + kk, kk * params.aStrideRow + row, TRANSPOSE_A)]);
}

// #include "store.wgsl"

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let group = wid.y * nwg.x + wid.x;
  if (group >= params.groups) { return; }
  let tiles = params.tilesM * params.tilesN;
  let tile = group % tiles;
  let item = (group / tiles) % params.batch;
  let split = group / tiles / params.batch;
  let row = (tile / params.tilesN) * 8;
  let column = (tile % params.tilesN) * 32 + 4 * lid;
  let aStart = params.aOffset + item * params.aStrideBatch;
  let bStart = params.bOffset + item * params.bStrideBatch;
  let cStart = params.cOffset + item * params.cStrideBatch + split * params.cStrideSplit;
  let kBegin = split * params.kPerSplit;
  let kEnd = min(params.k, kBegin + params.kPerSplit);

  var sums: array<vec4f, 8>;
  var kk = kBegin;
  for (; kk + 4 <= kEnd; kk += 4) {
    let block = loadB(bStart, kk, column);
    sums[0] += block * loadA(aStart, row, kk);
    sums[1] += block * loadA(aStart, row + 1, kk);
    sums[2] += block * loadA(aStart, row + 2, kk);
    sums[3] += block * loadA(aStart, row + 3, kk);
    sums[4] += block * loadA(aStart, row + 4, kk);
    sums[5] += block * loadA(aStart, row + 5, kk);
    sums[6] += block * loadA(aStart, row + 6, kk);
    sums[7] += block * loadA(aStart, row + 7, kk);
  }
  if (!WHOLE_K) {
    for (; kk < kEnd; kk++) {
      let bRow = loadOneB(bStart, kk, column);
      sums[0] += bRow * loadOneA(aStart, row, kk);
      sums[1] += bRow * loadOneA(aStart, row + 1, kk);
      sums[2] += bRow * loadOneA(aStart, row + 2, kk);
      sums[3] += bRow * loadOneA(aStart, row + 3, kk);
      sums[4] += bRow * loadOneA(aStart, row + 4, kk);
      sums[5] += bRow * loadOneA(aStart, row + 5, kk);
      sums[6] += bRow * loadOneA(aStart, row + 6, kk);
      sums[7] += bRow * loadOneA(aStart, row + 7, kk);
    }
  }

  store(cStart, row, column, sums[0]);
  store(cStart, row + 1, column, sums[1]);
  store(cStart, row + 2, column, sums[2]);
  store(cStart, row + 3, column, sums[3]);
  store(cStart, row + 4, column, sums[4]);
  store(cStart, row + 5, column, sums[5]);
  store(cStart, row + 6, column, sums[6]);
  store(cStart, row + 7, column, sums[7]);
}
