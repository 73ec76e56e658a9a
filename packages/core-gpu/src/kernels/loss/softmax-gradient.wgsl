// dlogits = scale * (softmax(logits) - labels), for rows of labels that sum to 1.
//
// With e = e^(z - largest), softmax is e / (1 + rest) and the difference is (e - label - label * rest) / (1 + rest).
// In this form the right class of a sure prediction (e = label = 1) gives -rest / (1 + rest) to full precision,
// where 1 / (1 + rest) - 1 would give 0.
//
//   logits, labels, dlogits  (rows, classes), here the count floats from element first on
//   largest, rest            (rows) as softmax/statistics.wgsl wrote them, here rowCount floats from rowFirst on
//   thread                   one element; those whose row is in another stretch do nothing
//   needs                    WORKGROUP
//   cost                     about 20 FLOP, 12 bytes per element

struct Params {
  count: u32,
  first: u32,
  rowFirst: u32,
  rowCount: u32,
  classes: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read> largest: array<f32>;
@group(0) @binding(4) var<storage, read> rest: array<f32>;
@group(0) @binding(5) var<storage, read_write> dlogits: array<f32>;

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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let row = (params.first + i) / params.classes - params.rowFirst;
  if (row >= params.rowCount) { return; }
  let e = accurateExp(logits[i] - largest[row]);
  let label = labels[i];
  let difference = ((e - label) - label * rest[row]) / (1.0 + rest[row]);
  dlogits[i] = params.scale * difference;
}
