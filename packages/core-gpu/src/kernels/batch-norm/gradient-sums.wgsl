// First level of the two sums behind every gradient: dy (that is dbeta) and dy * xhat (that is dgamma), where
// xhat = (x - mean) / sqrt(variance + epsilon), over strips of rows. Further levels are column sums.
//
//   x, dy           [rows, c] floats from offset on, row-major; count = rows * c
//   mean, variance  c floats
//   y               [threads / c, 2 c] floats from yOffset on; in each row first the c sums of dy, then the c sums
//                   of dy * xhat, both divided by divisor
//   thread          elements j, j + threads .. of x and dy, all in channel j % c (see reduce/column-sum.wgsl)
//   cost            4 FLOP and 8 bytes an element
//   needs           WORKGROUP

struct Params {
  count: u32,
  threads: u32,
  c: u32,
  offset: u32,
  yOffset: u32,
  divisor: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let channel = j % params.c;
  let center = mean[channel];
  let inverse = 1 / sqrt(variance[channel] + params.epsilon);
  var sumDy = 0f;
  var sumDyXhat = 0f;
  for (var i = j; i < params.count; i += params.threads) {
    let gradient = f32(dy[params.offset + i]);
    sumDy += gradient;
    sumDyXhat += gradient * (f32(x[params.offset + i]) - center);
  }
  let row = params.yOffset + (j / params.c) * 2 * params.c;
  y[row + channel] = sumDy / params.divisor;
  y[row + params.c + channel] = sumDyXhat * inverse / params.divisor;
}
