// Mean and biased variance of each channel: one thread for each channel. The first rung of the ladder.
//
//   x               [rows, c] floats, row-major
//   mean, variance  c floats
//   thread          one channel, all its rows, twice: with 64 channels only 64 threads of a GPU's tens of thousands
//                   have anything to do, and one running sum loses digits
//   cost            4 FLOP and 8 bytes an element
//   needs           WORKGROUP

struct Params {
  rows: u32,
  c: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let channel = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (channel >= params.c) { return; }
  var sum = 0f;
  for (var row = 0u; row < params.rows; row++) { sum += x[row * params.c + channel]; }
  let center = sum / f32(params.rows);
  var squares = 0f;
  for (var row = 0u; row < params.rows; row++) {
    let deviation = x[row * params.c + channel] - center;
    squares += deviation * deviation;
  }
  mean[channel] = center;
  variance[channel] = squares / f32(params.rows);
}
