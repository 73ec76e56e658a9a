// x = l1 |w| + l2 w^2, element by element: what each number of a weight adds to the loss.
//
//   w, x    count floats
//   thread  four elements as one vector; a line of workgroups folded over x and y
//   cost    5 FLOP, 8 bytes per element
//   needs   WORKGROUP

struct Params {
  count: u32,
  l1: f32,
  l2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;

// Writes vector i. What lies past the end of x stays as it is.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    x[i] = value;
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    x[i] = select(x[i], value, inside);
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let v = w[i];
  store(i, params.l1 * abs(v) + params.l2 * (v * v));
}
