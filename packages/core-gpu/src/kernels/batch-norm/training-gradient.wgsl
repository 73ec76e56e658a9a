// dx of batch normalisation with the statistics of the batch (derived in README.md):
//   dx = gamma / sqrt(variance + epsilon) * (dy - sum(dy) / n - xhat * sum(dy * xhat) / n),  n rows in all
//
//   x, dy, dx       [rows, c] floats from vector offset on, row-major; count = rows * c
//   mean, variance  c floats, of the batch
//   gamma           c floats; read only where HAS_GAMMA
//   sums            2 c floats: sum(dy), then sum(dy * xhat); perRow = 1 / n
//   thread          vectors j, j + threads, j + 2 threads .. of x. 4 threads is a multiple of c, so element e of
//                   all of them is in channel (4 j + e) % c, and what belongs to the channel is loaded once
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
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> dy: array<Dy4>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<f32>;
@group(0) @binding(6) var<storage, read> sums: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<Dx4>;

fn sumsAt(at: vec4u) -> vec4f {
  return vec4f(sums[at.x], sums[at.y], sums[at.z], sums[at.w]);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = (vec4u(0, 1, 2, 3) + 4 * j) % params.c;
  let center = vec4f(mean[channel.x], mean[channel.y], mean[channel.z], mean[channel.w]);
  let spread = vec4f(variance[channel.x], variance[channel.y], variance[channel.z], variance[channel.w]);
  let inverse = 1 / sqrt(spread + params.epsilon);
  let meanDy = sumsAt(channel) * params.perRow;
  let slope = sumsAt(channel + params.c) * params.perRow * inverse;
  var scale = inverse;
  if (HAS_GAMMA) { scale *= vec4f(gamma[channel.x], gamma[channel.y], gamma[channel.z], gamma[channel.w]); }
  for (var i = j; 4 * i < params.count; i += params.threads) {
    let at = params.offset + i;
    dx[at] = Dx4(scale * (vec4f(dy[at]) - meanDy - (vec4f(x[at]) - center) * slope));
  }
}
