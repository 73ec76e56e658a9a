// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta: one thread for each element. The first rung of the ladder.
//
//   x, y                         [rows, c] floats, row-major; count = rows * c
//   mean, variance, gamma, beta  c floats
//   thread                       one element; a line of workgroups folded over x and y
//   cost                         6 FLOP, a square root and 24 bytes an element: the channel's four numbers are loaded,
//                                and the root is taken, anew for each element
//   needs                        WORKGROUP

struct Params {
  count: u32,
  c: u32,
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
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let channel = i % params.c;
  let xhat = (x[i] - mean[channel]) / sqrt(variance[channel] + params.epsilon);
  y[i] = xhat * gamma[channel] + beta[channel];
}
