// First level of the variance: sums (x - mean)^2 over strips of rows. Further levels are column sums.
//
//   x       [rows, c] floats from offset on, row-major; count = rows * c
//   mean    c floats
//   y       threads floats from yOffset on: [threads / c, c] partial sums divided by divisor
//   thread  elements j, j + threads, j + 2 threads .. of x, all in channel j % c (see reduce/column-sum.wgsl)
//   cost    3 FLOP and 4 bytes an element
//   needs   WORKGROUP

struct Params {
  count: u32,
  threads: u32,
  c: u32,
  offset: u32,
  yOffset: u32,
  divisor: f32,
  inOrder: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn term(i: u32, center: f32) -> f32 {
  let deviation = f32(x[params.offset + i]) - center;
  return deviation * deviation;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let step = params.threads;
  let center = mean[j % params.c];
  var i = j;
  var sums = vec4f();
  let byFour = select(params.count, 0, params.inOrder == 1);
  for (; i + 3 * step < byFour; i += 4 * step) {
    sums += vec4f(term(i, center), term(i + step, center), term(i + 2 * step, center), term(i + 3 * step, center));
  }
  for (; i < params.count; i += step) { sums.x += term(i, center); }
  y[params.yOffset + j] = ((sums.x + sums.y) + (sums.z + sums.w)) / params.divisor;
}
