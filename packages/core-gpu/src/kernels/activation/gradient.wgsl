// dx = dy * f'(x), where f' is written in terms of y = f(x), so that x need not be kept.
//
//   relu     f' = y > 0 ? 1 : 0
//   sigmoid  f' = y (1 - y)
//   tanh     f' = 1 - y^2
//
//   y, dy, dx  count floats
//   thread     four elements as one vector; a line of workgroups folded over x and y
//   cost       1 to 3 FLOP, 12 bytes per element
//   needs      WORKGROUP; KIND 0 relu, 1 sigmoid, 2 tanh

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<Y4>;
@group(0) @binding(2) var<storage, read> dy: array<Dy4>;
@group(0) @binding(3) var<storage, read_write> dx: array<Dx4>;

// Writes vector i. What lies past the end of dx stays as it is.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    dx[i] = Dx4(value);
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    dx[i] = Dx4(select(vec4f(dx[i]), value, inside));
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let v = vec4f(y[i]);
  if (KIND == 0) {
    store(i, select(vec4f(0.0), vec4f(dy[i]), v > vec4f(0.0)));
  } else if (KIND == 1) {
    store(i, vec4f(dy[i]) * v * (1.0 - v));
  } else {
    store(i, vec4f(dy[i]) * (1.0 - v) * (1.0 + v));
  }
}
