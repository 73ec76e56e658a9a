// dx of batch normalisation with frozen statistics: dx = dy * gamma / sqrt(variance + epsilon).
//
//   dy, dx          [rows, c] floats from vector offset on, row-major; count = rows * c
//   variance        c floats, the moving variance
//   gamma           c floats; read only where HAS_GAMMA
//   thread          vectors j, j + threads, j + 2 threads .. of dy. 4 threads is a multiple of c, so element e of
//                   all of them is in channel (4 j + e) % c, and what belongs to the channel is loaded once
//   cost            1 FLOP and 8 bytes an element
//   needs           WORKGROUP, HAS_GAMMA

struct Params {
  count: u32,
  threads: u32,
  c: u32,
  offset: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy4>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<Dx4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = (vec4u(0, 1, 2, 3) + 4 * j) % params.c;
  let spread = vec4f(variance[channel.x], variance[channel.y], variance[channel.z], variance[channel.w]);
  var scale = 1 / sqrt(spread + params.epsilon);
  if (HAS_GAMMA) { scale *= vec4f(gamma[channel.x], gamma[channel.y], gamma[channel.z], gamma[channel.w]); }
  for (var i = j; 4 * i < params.count; i += params.threads) {
    dx[params.offset + i] = Dx4(vec4f(dy[params.offset + i]) * scale);
  }
}
