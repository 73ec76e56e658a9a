// Cross-entropy of softmax(logits) against labels, one number for each row:
//
//   loss = sum of label * (log(sum of e^z) - z) = sum of label * ((rowMax - z) + log(1 + sumOfOthers))
//
// No term is negative, so nothing cancels and a loss of 1e-12 has all its digits.
//
//   logits, labels  (rows, classes), here the xCount floats from element xFirst on
//   rowMax, sumOfOthers   (rows) as softmax/statistics.wgsl wrote them, here rowCount floats from row rowFirst on
//   losses          (rows), as rowMax
//   threads         LANES for each row, ROWS rows for each workgroup, as in softmax/statistics.wgsl
//   shared          4 * LANES * ROWS bytes
//   needs           LANES a power of two, ROWS; SPLIT when logits come in several slices: then losses holds the
//                   sum over those before this one, except when `isFirst` is 1
//   cost            3 FLOP, 8 bytes per element

struct Params {
  rowFirst: u32,
  rowCount: u32,
  xFirst: u32,
  xCount: u32,
  classes: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read> rowMax: array<f32>;
@group(0) @binding(4) var<storage, read> sumOfOthers: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;

var<workgroup> partial: array<f32, LANES * ROWS>;

// #include "../shared/accurate-log1p.wgsl"

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % LANES;
  let i = (wid.y * nwg.x + wid.x) * ROWS + lid / LANES;
  let row = params.rowFirst + i;
  // The part of the row that lies in this binding slice; empty for threads past the last row.
  let begin = max(row * params.classes, params.xFirst);
  let end = select(0u, min((row + 1u) * params.classes, params.xFirst + params.xCount), i < params.rowCount);

  var sum = 0.0;
  if (begin < end) {
    let top = rowMax[i];
    let logarithm = accurateLog1p(sumOfOthers[i]);
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
    losses[i] = partial[lid] + select(losses[i], 0.0, !SPLIT || params.isFirst == 1u);
  }
}
