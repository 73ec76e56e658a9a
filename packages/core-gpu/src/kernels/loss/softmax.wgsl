// Cross-entropy of softmax(logits) against labels, one number for each row:
//
//   loss = sum of label * (log(sum of e^z) - z) = sum of label * ((largest - z) + log(1 + rest))
//
// No term is negative, so nothing cancels and a loss of 1e-12 has all its digits.
//
//   logits, labels  (rows, classes), here the xCount floats from element xFirst on
//   largest, rest   (rows) as softmax/statistics.wgsl wrote them, here rowCount floats from row rowFirst on
//   losses          (rows), as largest
//   threads         LANES for each row, ROWS rows for each workgroup, as in softmax/statistics.wgsl
//   shared          4 * LANES * ROWS bytes
//   needs           LANES a power of two, ROWS; SPLIT when logits come in several stretches: then losses holds the
//                   sum over those before this one, except when `fresh` is 1
//   cost            3 FLOP, 8 bytes per element

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
@group(0) @binding(3) var<storage, read> largest: array<f32>;
@group(0) @binding(4) var<storage, read> rest: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;

var<workgroup> partial: array<f32, LANES * ROWS>;

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
  if (begin < end) {
    let top = largest[i];
    let logarithm = accurateLog1p(rest[i]);
    for (var j = begin + lane; j < end; j += LANES) {
      let label = labels[j - params.xFirst];
      // Classes with label 0 stay out: a logit of minus infinity is allowed there.
      if (label != 0.0) { sum += label * ((top - logits[j - params.xFirst]) + logarithm); }
    }
  }

  // Halve the lanes until one is left; with LANES 1 there is nothing to do.
  partial[lid] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lid] += partial[lid + half]; }
  }

  if (lane == 0u && i < params.rowCount) {
    losses[i] = partial[lid] + select(losses[i], 0.0, !SPLIT || params.fresh == 1u);
  }
}
