// moving = moving * momentum + batch * (1 - momentum), in place.
//
//   moving, batch  count floats
//   thread         four elements as one vector; a line of workgroups folded over x and y
//   cost           3 FLOP and 12 bytes an element
//   needs          WORKGROUP

struct Params {
  count: u32,
  momentum: f32,
  oneMinusMomentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> moving: array<vec4f>;
@group(0) @binding(2) var<storage, read> batch: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  moving[i] = moving[i] * params.momentum + batch[i] * params.oneMinusMomentum;
}
