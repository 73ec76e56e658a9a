// total = total + value, element by element and in place: how gradients of a tensor used twice add up.
//
//   total, value  count floats
//   thread        four elements as one vector; a line of workgroups folded over x and y
//   cost          1 FLOP, 12 bytes per element
//   needs         WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> total: array<Total4>;
@group(0) @binding(2) var<storage, read> value: array<Value4>;

// Writes vector i. What lies past the end of total stays as it is.
fn store(i: u32, sum: vec4f) {
  if (4u * i + 4u <= params.count) {
    total[i] = Total4(sum);
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    total[i] = Total4(select(vec4f(total[i]), sum, inside));
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  store(i, vec4f(total[i]) + vec4f(value[i]));
}
