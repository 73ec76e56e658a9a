// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, and relu of that where RELU.
//
//   x, y            [rows, c] floats from offset on, row-major; count = rows * c
//   mean, variance  c floats
//   gamma, beta     c floats; read only where HAS_GAMMA, HAS_BETA
//   thread          elements j, j + threads, j + 2 threads .. of x, all in channel j % c, so that what belongs
//                   to the channel is loaded once
//   cost            3 FLOP and 8 bytes an element
//   needs           WORKGROUP, HAS_GAMMA, HAS_BETA, RELU

struct Params {
  count: u32,
  threads: u32,
  c: u32,
  offset: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> beta: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = j % params.c;
  var scale = 1 / sqrt(variance[channel] + params.epsilon);
  if (HAS_GAMMA) { scale *= gamma[channel]; }
  // Keras' own order of operations. Centring first would be closer to the exact value, but where a gradient nearly
  // cancels, what counts is to round as the model's training did.
  var shift = -mean[channel] * scale;
  if (HAS_BETA) { shift += beta[channel]; }
  for (var i = j; i < params.count; i += params.threads) {
    let value = x[params.offset + i] * scale + shift;
    y[params.offset + i] = select(value, max(value, 0), RELU);
  }
}
