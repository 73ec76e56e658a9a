// total = total + value, element by element and in place: how gradients of a tensor used twice add up.
//
//   total, value  count floats
//   thread        one element; a line of workgroups folded over x and y
//   cost          1 FLOP, 12 bytes per element
//   needs         WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> total: array<f32>;
@group(0) @binding(2) var<storage, read> value: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  total[i] = total[i] + value[i];
}
