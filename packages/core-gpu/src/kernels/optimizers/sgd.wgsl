// One step of stochastic gradient descent with weight decay, momentum and Nesterov momentum, in place.
//
//   w         count floats, the weight; updated
//   g         count floats, its gradient
//   velocity  count floats, updated; read and written only where HAS_MOMENTUM
//   skip      one number: nothing is done where it is not 0; read only where MAY_SKIP
//   thread    four elements as one vector; a line of workgroups folded over x and y
//   cost      up to 8 FLOP an element; 12 bytes an element, 20 with momentum
//   needs     WORKGROUP, MAY_SKIP, HAS_MOMENTUM, NESTEROV

struct Params {
  count: u32,
  learningRate: f32,
  momentum: f32,
  weightDecay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> g: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(4) var<storage, read> skip: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  if (MAY_SKIP && skip[0] != 0) { return; }
  let weight = w[i] - w[i] * params.weightDecay * params.learningRate;
  let update = params.learningRate * g[i];
  if (HAS_MOMENTUM) {
    let v = velocity[i] * params.momentum - update;
    velocity[i] = v;
    w[i] = weight + select(v, v * params.momentum - update, NESTEROV);
  } else {
    w[i] = weight - update;
  }
}
