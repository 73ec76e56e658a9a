// Folds batch normalisation into the kernel of the convolution or dense layer before it:
//   foldedKernel[r, co] = kernel[r, co] * gamma[co] / sqrt(variance[co] + epsilon)
//
//   kernel          [rows, co] floats from vector offset on; rows = kh * kw * ci; count = rows * co
//   foldedKernel    the same
//   variance        co floats
//   gamma           co floats; read only where HAS_GAMMA
//   thread          vectors j, j + threads, j + 2 threads .. of kernel. 4 threads is a multiple of co, so element e
//                   of all of them is in channel (4 j + e) % co, and what belongs to it is loaded once
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
@group(0) @binding(1) var<storage, read> kernel: array<vec4f>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> foldedKernel: array<FoldedKernel4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = (vec4u(0, 1, 2, 3) + 4 * j) % params.co;
  let spread = vec4f(variance[channel.x], variance[channel.y], variance[channel.z], variance[channel.w]);
  var scale = 1 / sqrt(spread + params.epsilon);
  if (HAS_GAMMA) { scale *= vec4f(gamma[channel.x], gamma[channel.y], gamma[channel.z], gamma[channel.w]); }
  for (var i = j; 4 * i < params.count; i += params.threads) {
    foldedKernel[params.offset + i] = FoldedKernel4(kernel[params.offset + i] * scale);
  }
}
