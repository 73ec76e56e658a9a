// What of the gradient of y = max(a, b) goes to a, or with OTHER to b: all of it where that one is the larger. Where they
// are equal it goes to a, as in TensorFlow.
//
//   a, b, dy, dx  count floats
//   thread        four elements as one vector; a line of workgroups folded over x and y
//   cost          1 FLOP, 16 bytes per element
//   needs         WORKGROUP; OTHER

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Stored4>;
@group(0) @binding(2) var<storage, read> b: array<Stored4>;
@group(0) @binding(3) var<storage, read> dy: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> dx: array<Stored4>;

// Writes vector i. What lies past the end of dx stays as it is.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    dx[i] = Stored4(value);
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    dx[i] = Stored4(select(vec4f(dx[i]), value, inside));
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let smaller = vec4f(a[i]) < vec4f(b[i]);
  store(i, select(vec4f(0.0), vec4f(dy[i]), smaller == vec4<bool>(OTHER)));
}
