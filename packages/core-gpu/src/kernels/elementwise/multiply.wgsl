// y = a * b, element by element.
//
//   a, b, y  count floats
//   thread   four elements as one vector; a line of workgroups folded over x and y
//   cost     1 FLOP, 12 bytes per element
//   needs    WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Stored4>;
@group(0) @binding(2) var<storage, read> b: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored4>;

// Writes vector i. What lies past the end of y stays as it is.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    y[i] = Stored4(value);
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    y[i] = Stored4(select(vec4f(y[i]), value, inside));
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  store(i, vec4f(a[i]) * vec4f(b[i]));
}
