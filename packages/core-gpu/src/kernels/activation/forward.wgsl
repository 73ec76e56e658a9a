// y = relu(x), sigmoid(x) or tanh(x), element by element.
//
//   x, y    count floats
//   thread  four elements as one vector; a line of workgroups folded over x and y
//   cost    1 FLOP (relu) to about 25 (tanh), 8 bytes per element
//   needs   WORKGROUP; KIND 0 relu, 1 sigmoid, 2 tanh

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

// #include "../shared/accurate-exp.wgsl"

// 1 / (1 + e^-x) without overflow: the exponent is never positive.
fn sigmoid(x: f32) -> f32 {
  let e = accurateExp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// Cephes' tanhf: an odd polynomial near zero, where 1 - 2 / (e^2x + 1) would cancel.
fn accurateTanh(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.625) {
    let z = x * x;
    var p = -5.70498872745e-3;
    p = p * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    return p * z * x + x;
  }
  return sign(x) * (1.0 - 2.0 / (accurateExp(2.0 * select(a, 10.0, a > 10.0)) + 1.0));
}

// #include "../shared/store-vec4.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let v = vec4f(x[i]);
  if (KIND == 0) {
    store(i, select(v, vec4f(0.0), v < vec4f(0.0))); // max would make 0 of NaN
  } else if (KIND == 1) {
    store(i, vec4f(sigmoid(v.x), sigmoid(v.y), sigmoid(v.z), sigmoid(v.w)));
  } else {
    store(i, vec4f(accurateTanh(v.x), accurateTanh(v.y), accurateTanh(v.z), accurateTanh(v.w)));
  }
}
