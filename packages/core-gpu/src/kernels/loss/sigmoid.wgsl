// Cross-entropy of sigmoid(logits) against labels, the mean over the classes of each row:
//
//   loss = mean of max(z, 0) - z * label + log(1 + e^-|z|)
//
// which is -label * log(p) - (1 - label) * log(1 - p) written so that nothing overflows or cancels
// (as TensorFlow's sigmoid_cross_entropy_with_logits).
//
//   logits, labels  (rows, classes), here the xCount floats from element xFirst on
//   losses          (rows), here rowCount floats from row rowFirst on
//   threads         LANES for each row, ROWS rows for each workgroup, as in softmax/statistics.wgsl
//   shared          4 * LANES * ROWS bytes
//   needs           LANES a power of two, ROWS; SPLIT when logits come in several stretches: then losses holds the
//                   sum over those before this one, except when `fresh` is 1
//   cost            about 50 FLOP, 8 bytes per element

struct Params {
  rowFirst: u32,
  rowCount: u32,
  xFirst: u32,
  xCount: u32,
  classes: u32,
  fresh: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;

var<workgroup> partial: array<f32, LANES * ROWS>;

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

// log(1 + u) for u >= 0 to 2 ulp, however small u is. 1 + u = 2^k (1 + f) with f in [0, 1), and
// log(1 + f) = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ..) with s = f / (2 + f) <= 1/3.
// WGSL's own log near 1 is only good to 2^-21 absolutely, which is nothing for a loss of 1e-8.
fn accurateLog1p(u: f32) -> f32 {
  let bits = bitcast<u32>(1.0 + u);
  let large = u >= 1.0;
  let f = select(u, bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u) - 1.0, large);
  let k = select(0.0, f32(bits >> 23u) - 127.0, large);
  let s = f / (2.0 + f);
  let q = s * s;
  let series = 1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q / 15.0)))));
  return k * 0.69314718 + (2.0 * s + 2.0 * s * q * series);
}

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % LANES;
  let i = (wid.y * nwg.x + wid.x) * ROWS + lid / LANES;
  let row = params.rowFirst + i;
  // The part of the row that lies in this stretch; empty for threads past the last row.
  let begin = max(row * params.classes, params.xFirst);
  let end = select(0u, min((row + 1u) * params.classes, params.xFirst + params.xCount), i < params.rowCount);

  var sum = 0.0;
  for (var j = begin + lane; j < end; j += LANES) {
    let z = logits[j - params.xFirst];
    let label = labels[j - params.xFirst];
    sum += (max(z, 0.0) - z * label) + accurateLog1p(accurateExp(-abs(z)));
  }

  // Halve the lanes until one is left; with LANES 1 there is nothing to do.
  partial[lid] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lid] += partial[lid + half]; }
  }

  if (lane == 0u && i < params.rowCount) {
    let before = select(losses[i], 0.0, !SPLIT || params.fresh == 1u);
    losses[i] = before + partial[lid] / f32(params.classes);
  }
}
