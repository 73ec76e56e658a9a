// c = op(a) op(b) + bias, relu of that if wanted: one thread for each element of c. The first rung of the ladder;
// in use for problems too small to matter.
//
//   a, b, c   row-major float matrices [m, k] or [k, m] (TRANSPOSE_A), [k, n] or [n, k] (TRANSPOSE_B), [m, n], in a
//             batch; the block at hand starts at aOffset, bOffset, cOffset, its rows are aStrideRow, bStrideRow, cStrideRow floats
//             apart, its matrices aStrideBatch, bStrideBatch, cStrideBatch
//   bias      n floats from biasOffset on; read only where HAS_BIAS
//   split-K   split s sums k from s * kPerSplit on and writes its own matrix, cStrideSplit floats after the last one
//   thread    one element of c; a workgroup is an 8 x 8 square of c
//   cost      2 m n k FLOP; each thread reads 2 k floats: nothing is reused but by the cache
//   needs     TRANSPOSE_A, TRANSPOSE_B, HAS_BIAS, RELU, ACCUMULATE (add to what is in c)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> b: array<B>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<C>;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let group = wid.y * nwg.x + wid.x;
  let tiles = params.tilesM * params.tilesN;
  let tile = group % tiles;
  let layer = group / tiles;
  let item = layer % params.batch;
  let split = layer / params.batch;
  let row = (tile / params.tilesN) * 8 + lid.y;
  let column = (tile % params.tilesN) * 8 + lid.x;
  if (group >= params.groups || row >= params.m || column >= params.n) { return; }

  let aStart = params.aOffset + item * params.aStrideBatch;
  let bStart = params.bOffset + item * params.bStrideBatch;
  let kEnd = min(params.k, (split + 1) * params.kPerSplit);
  var sum = 0f;
  for (var kk = split * params.kPerSplit; kk < kEnd; kk++) {
    let aAt = aStart + select(row * params.aStrideRow + kk, kk * params.aStrideRow + row, TRANSPOSE_A);
    let bAt = bStart + select(kk * params.bStrideRow + column, column * params.bStrideRow + kk, TRANSPOSE_B);
    sum += f32(a[aAt]) * f32(b[bAt]);
  }

  let at = params.cOffset + split * params.cStrideSplit + item * params.cStrideBatch + row * params.cStrideRow + column;
  if (ACCUMULATE) { sum += f32(c[at]); }
  if (HAS_BIAS) { sum += bias[params.biasOffset + column]; }
  c[at] = C(select(sum, 0, RELU && sum < 0)); // lets NaN through, unlike max
}
