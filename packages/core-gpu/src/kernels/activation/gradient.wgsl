// dx = dy * f'(x), where f' is written in terms of y = f(x), so that x need not be kept.
//
//   relu     f' = y > 0 ? 1 : 0
//   sigmoid  f' = y (1 - y)
//   tanh     f' = 1 - y^2
//
//   y, dy, dx  count floats
//   thread     one element; a line of workgroups folded over x and y
//   cost       1 to 3 FLOP, 12 bytes per element
//   needs      WORKGROUP; KIND 0 relu, 1 sigmoid, 2 tanh

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let v = y[i];
  if (KIND == 0) {
    dx[i] = select(0.0, dy[i], v > 0.0);
  } else if (KIND == 1) {
    dx[i] = dy[i] * v * (1.0 - v);
  } else {
    dx[i] = dy[i] * (1.0 - v) * (1.0 + v);
  }
}
