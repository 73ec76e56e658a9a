// One step of RMSprop with weight decay, momentum and centring, in place.
//
//   w             count floats, the weight; updated
//   g             count floats, its gradient
//   meanSquare    count floats, moving mean of g^2; updated
//   velocity      count floats, updated; touched only where HAS_MOMENTUM
//   meanGradient  count floats, moving mean of g, updated; touched only where CENTERED
//   skip          one number: nothing is done where it is not 0; read only where MAY_SKIP
//   thread        four elements as one vector; a line of workgroups folded over x and y
//   cost          about 12 FLOP an element; 20 bytes an element, 8 more for each of the optional states
//   needs         WORKGROUP, MAY_SKIP, HAS_MOMENTUM, CENTERED

struct Params {
  count: u32,
  learningRate: f32,
  rho: f32,
  oneMinusRho: f32,
  momentum: f32,
  epsilon: f32,
  weightDecay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> g: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> meanSquare: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> meanGradient: array<vec4f>;
@group(0) @binding(6) var<storage, read> skip: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  if (MAY_SKIP && skip[0] != 0) { return; }
  let gradient = g[i];
  let square = params.rho * meanSquare[i] + params.oneMinusRho * gradient * gradient;
  meanSquare[i] = square;
  var inRoot = square;
  if (CENTERED) {
    let mean = params.rho * meanGradient[i] + params.oneMinusRho * gradient;
    meanGradient[i] = mean;
    inRoot -= mean * mean;
  }
  var update = params.learningRate * gradient / sqrt(inRoot + params.epsilon);
  if (HAS_MOMENTUM) {
    update += params.momentum * velocity[i];
    velocity[i] = update;
  }
  w[i] = w[i] - w[i] * params.weightDecay * params.learningRate - update;
}
