// dlogits = scale * (softmax(logits) - labels), for rows of labels that sum to 1.
//
// With e = e^(z - rowMax), softmax is e / (1 + sumOfOthers) and the difference is (e - label - label * sumOfOthers) / (1 + sumOfOthers).
// In this form the right class of a sure prediction (e = label = 1) gives -sumOfOthers / (1 + sumOfOthers) to full precision,
// where 1 / (1 + sumOfOthers) - 1 would give 0.
//
//   logits, labels, dlogits  (rows, classes), here the count floats from element first on
//   rowMax, sumOfOthers            (rows) as softmax/statistics.wgsl wrote them, here rowCount floats from rowFirst on
//   thread                   one element; those whose row is in another binding slice do nothing
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
@group(0) @binding(3) var<storage, read> rowMax: array<f32>;
@group(0) @binding(4) var<storage, read> sumOfOthers: array<f32>;
@group(0) @binding(5) var<storage, read_write> dlogits: array<f32>;

// #include "../shared/accurate-exp.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let row = (params.first + i) / params.classes - params.rowFirst;
  if (row >= params.rowCount) { return; }
  let e = accurateExp(logits[i] - rowMax[row]);
  let label = labels[i];
  let difference = ((e - label) - label * sumOfOthers[row]) / (1.0 + sumOfOthers[row]);
  dlogits[i] = params.scale * difference;
}
