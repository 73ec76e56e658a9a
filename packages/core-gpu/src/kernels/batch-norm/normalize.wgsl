// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, and relu of that where RELU.
//
//   x, y            [rows, c] floats from vector offset on, row-major; count = rows * c
//   mean, variance  c floats
//   gamma, beta     c floats; read only where HAS_GAMMA, HAS_BETA
//   thread          vectors j, j + threads, j + 2 threads .. of x. 4 threads is a multiple of c, so element e of
//                   all of them is in channel (4 j + e) % c, and what belongs to the channel is loaded once
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
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> beta: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<Y4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = (vec4u(0, 1, 2, 3) + 4 * j) % params.c;
  let spread = vec4f(variance[channel.x], variance[channel.y], variance[channel.z], variance[channel.w]);
  var scale = 1 / sqrt(spread + params.epsilon);
  if (HAS_GAMMA) { scale *= vec4f(gamma[channel.x], gamma[channel.y], gamma[channel.z], gamma[channel.w]); }
  // Keras' own order of operations. Centring first would be closer to the exact value, but where a gradient nearly
  // cancels, what counts is to round as the model's training did.
  var shift = -vec4f(mean[channel.x], mean[channel.y], mean[channel.z], mean[channel.w]) * scale;
  if (HAS_BETA) { shift += vec4f(beta[channel.x], beta[channel.y], beta[channel.z], beta[channel.w]); }
  for (var i = j; 4 * i < params.count; i += params.threads) {
    let value = vec4f(x[params.offset + i]) * scale + shift;
    y[params.offset + i] = Y4(select(value, vec4f(), vec4<bool>(RELU) & (value < vec4f())));
  }
}
