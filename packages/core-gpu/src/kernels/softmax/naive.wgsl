// Softmax, one thread for each row: the first rung of the ladder, nothing else uses it.
//
//   x, y    (rows, classes)
//   thread  one row, swept three times: its largest element, the sum of powers, the results. On a GPU neighbouring
//           threads read `classes` floats apart, and a batch of 20 rows keeps 20 threads busy
//   needs   WORKGROUP; x and y in one binding each
//   cost    about 30 FLOP, 16 bytes per element

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (row >= params.rows) { return; }
  let begin = row * params.classes;
  let end = begin + params.classes;
  var rowMax = x[begin];
  for (var i = begin; i < end; i++) { rowMax = max(rowMax, x[i]); }
  var sum = 0.0;
  for (var i = begin; i < end; i++) { sum += exp(x[i] - rowMax); }
  for (var i = begin; i < end; i++) { y[i] = exp(x[i] - rowMax) / sum; }
}
