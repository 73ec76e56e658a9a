// Folds batch normalisation into the kernel of the convolution or dense layer before it:
//   foldedKernel[r, co] = kernel[r, co] * gamma[co] / sqrt(variance[co] + epsilon)
//
//   kernel, foldedKernel
//                   [rows, co] floats from offset on; rows = kh * kw * ci; count = rows * co
//   variance        co floats
//   gamma           co floats; read only where HAS_GAMMA
//   thread          elements j, j + threads, j + 2 threads .. of kernel, all in channel j % co, so that what belongs
//                   to the channel is loaded once
//   cost            1 FLOP and 8 bytes an element
//   needs           WORKGROUP, HAS_GAMMA

struct Params {
  count: u32,
  threads: u32,
  co: u32,
  offset: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> foldedKernel: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = j % params.co;
  var scale = 1 / sqrt(variance[channel] + params.epsilon);
  if (HAS_GAMMA) { scale *= gamma[channel]; }
  for (var i = j; i < params.count; i += params.threads) {
    foldedKernel[params.offset + i] = kernel[params.offset + i] * scale;
  }
}
