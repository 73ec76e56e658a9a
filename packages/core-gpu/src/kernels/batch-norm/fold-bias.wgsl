// The bias that goes with a folded kernel: (bias - mean) * gamma / sqrt(variance + epsilon) + beta.
//
//   every buffer  co floats; bias, gamma, beta are read only where HAS_BIAS, HAS_GAMMA, HAS_BETA
//   thread        one channel; a line of workgroups folded over x and y
//   cost          6 FLOP and 24 bytes a channel
//   needs         WORKGROUP, HAS_BIAS, HAS_GAMMA, HAS_BETA

struct Params {
  co: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read> mean: array<f32>;
@group(0) @binding(5) var<storage, read> variance: array<f32>;
@group(0) @binding(6) var<storage, read_write> foldedBias: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let channel = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (channel >= params.co) { return; }
  var value = -mean[channel];
  if (HAS_BIAS) { value += bias[channel]; }
  value /= sqrt(variance[channel] + params.epsilon);
  if (HAS_GAMMA) { value *= gamma[channel]; }
  if (HAS_BETA) { value += beta[channel]; }
  foldedBias[channel] = value;
}
