// dlogits = scale * (sigmoid(logits) - labels), element by element.
//
// With e = e^-|z|, sigmoid is 1 / (1 + e) for z >= 0 and e / (1 + e) below; the difference is taken over the common
// denominator, so that a sure and right prediction keeps its tiny gradient instead of rounding to 0.
//
//   logits, labels, dlogits  count floats
//   thread                   four elements as one vector
//   needs                    WORKGROUP
//   cost                     about 20 FLOP, 12 bytes per element

struct Params {
  count: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> labels: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<vec4f>;

// e^x to 2 ulp. x = n ln 2 + r with |r| <= ln(2)/2: ln 2 is subtracted in two pieces, the first of which is exact
// (Cody and Waite), e^r is the polynomial of Cephes' expf, and 2^n goes straight into the exponent bits.
// Below -87.33 the result would be subnormal and is 0; NaN stays NaN, which clamp and max need not do. WGSL's own exp
// may be wrong by 3 + 2|x| ulp.
fn accurateExp(x: f32) -> f32 {
  let a = select(select(x, 88.0, x > 88.0), -87.33, x < -87.33);
  let n = floor(a * 1.44269504 + 0.5);
  let r = (a - n * 0.693359375) + n * 2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let power = bitcast<f32>(u32(i32(n) + 127) << 23u);
  return select((p * r * r + r + 1.0) * power, 0.0, x < -87.33);
}

fn difference(z: f32, label: f32) -> f32 {
  let e = accurateExp(-abs(z));
  let numerator = select(e, 1.0, z >= 0.0);
  return ((numerator - label) - label * e) / (1.0 + e);
}

// Writes vector i. What lies past the end of dlogits stays as it is.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    dlogits[i] = value;
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    dlogits[i] = select(dlogits[i], value, inside);
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let z = logits[i];
  let t = labels[i];
  let d = vec4f(difference(z.x, t.x), difference(z.y, t.y), difference(z.z, t.z), difference(z.w, t.w));
  store(i, params.scale * d);
}
