// One step of Adam, AMSGrad or AdamW, in place. The bias corrections are in the rate, see README.md.
//
//   w         count floats, the weight; updated
//   g         count floats, its gradient
//   m         count floats, moving mean of g; updated
//   v         count floats, moving mean of g^2; updated
//   vMax      count floats, largest v so far, updated; touched only where AMSGRAD
//   skip      one number: nothing is done where it is not 0; read only where MAY_SKIP
//   stepRate  one number: the rate of this step where MAY_SKIP, instead of the uniform
//   thread    four elements as one vector; a line of workgroups folded over x and y
//   cost      about 14 FLOP an element; 28 bytes an element, 36 with AMSGRAD
//   needs     WORKGROUP, MAY_SKIP, AMSGRAD

struct Params {
  count: u32,
  rate: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  epsilon: f32,
  decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> g: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> vMax: array<vec4f>;
@group(0) @binding(6) var<storage, read> skip: array<u32>;
@group(0) @binding(7) var<storage, read> stepRate: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  if (MAY_SKIP && skip[0] != 0) { return; }
  let gradient = g[i];
  let mean = m[i] + (gradient - m[i]) * params.oneMinusBeta1;
  var square = v[i] + (gradient * gradient - v[i]) * params.oneMinusBeta2;
  m[i] = mean;
  v[i] = square;
  if (AMSGRAD) {
    square = max(square, vMax[i]);
    vMax[i] = square;
  }
  let weight = w[i] - w[i] * params.decay;
  var rate = params.rate;
  if (MAY_SKIP) { rate = stepRate[0]; }
  w[i] = weight - rate * mean / (sqrt(square) + params.epsilon);
}
