// dx = dy * f'(x), where f' is written in terms of what is kept: v is y = f(x), or x itself for log and abs.
//
//   exp         f' = y
//   log         f' = 1 / x
//   abs         f' = sign(x), 0 at 0
//   sqrt        f' = 1 / (2 y)
//   reciprocal  f' = -y^2
//
//   v, dy, dx  count floats
//   thread     four elements as one vector; a line of workgroups folded over x and y
//   cost       1 to 3 FLOP, 12 bytes per element
//   needs      WORKGROUP; KIND 0 exp, 1 log, 2 abs, 3 sqrt, 4 reciprocal

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> v: array<V4>;
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
  let known = vec4f(v[i]);
  let d = vec4f(dy[i]);
  if (KIND == 0) {
    store(i, d * known);
  } else if (KIND == 1) {
    store(i, d / known);
  } else if (KIND == 2) {
    store(i, d * sign(known));
  } else if (KIND == 3) {
    store(i, 0.5 * d / known);
  } else {
    store(i, -d * known * known);
  }
}
