// dx of batch normalisation with the statistics of the batch (derived in README.md):
//   dx = gamma / sqrt(variance + epsilon) * (dy - sum(dy) / n - xhat * sum(dy * xhat) / n),  n rows in all
//
//   x, dy, dx       [rows, c] floats from offset on, row-major; count = rows * c
//   mean, variance  c floats, of the batch
//   gamma           c floats; read only where HAS_GAMMA
//   sums            2 c floats: sum(dy), then sum(dy * xhat)
//   thread          elements j, j + threads, j + 2 threads .. of x, all in channel j % c, so that what belongs
//                   to the channel is loaded once
//   cost            5 FLOP and 12 bytes an element
//   needs           WORKGROUP, HAS_GAMMA

struct Params {
  count: u32,
  threads: u32,
  c: u32,
  offset: u32,
  epsilon: f32,
  perRow: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<f32>;
@group(0) @binding(6) var<storage, read> sums: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = j % params.c;
  let center = mean[channel];
  let inverse = 1 / sqrt(variance[channel] + params.epsilon);
  let meanDy = sums[channel] * params.perRow;
  let slope = sums[params.c + channel] * params.perRow * inverse;
  var scale = inverse;
  if (HAS_GAMMA) { scale *= gamma[channel]; }
  for (var i = j; i < params.count; i += params.threads) {
    let at = params.offset + i;
    dx[at] = scale * (dy[at] - meanDy - (x[at] - center) * slope);
  }
}
