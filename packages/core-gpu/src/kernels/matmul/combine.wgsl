// The second pass of split-K: adds the splits' partial products in order, then bias and relu.
//
//   partial   [splits, batch, m, n] floats
//   bias      n floats from biasOffset on; read only where HAS_BIAS
//   c         batch blocks of m x n from cOffset on, rows cStrideRow and blocks cStrideBatch floats apart
//   thread    one element of c; a line of workgroups folded over x and y
//   cost      splits FLOP and 4 * splits bytes an element of c
//   needs     WORKGROUP, HAS_BIAS, RELU, ACCUMULATE (add to what is in c)

struct Params {
  m: u32,
  n: u32,
  batch: u32,
  splits: u32,
  cOffset: u32,
  cStrideRow: u32,
  cStrideBatch: u32,
  biasOffset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<C>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  let count = params.batch * params.m * params.n;
  if (i >= count) { return; }
  let column = i % params.n;
  let row = (i / params.n) % params.m;
  let item = i / (params.n * params.m);
  var sum = 0f;
  for (var split = 0u; split < params.splits; split++) { sum += partial[split * count + i]; }

  let at = params.cOffset + item * params.cStrideBatch + row * params.cStrideRow + column;
  if (ACCUMULATE) { sum += f32(c[at]); }
  if (HAS_BIAS) { sum += bias[params.biasOffset + column]; }
  c[at] = C(select(sum, 0, RELU && sum < 0)); // lets NaN through, unlike max
}
