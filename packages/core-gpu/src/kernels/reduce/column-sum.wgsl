// Sums the columns of a matrix, or their squares, by strips: one level of a tree of sums.
//
//   x       rows * columns floats from xOffset on, row-major; count = rows * columns
//   y       threads floats from yOffset on: a matrix of threads / columns rows, each a partial column sum / divisor
//   thread  element j, j + threads, j + 2 threads .. of x. threads is a multiple of columns, so all of them lie
//           in column j % columns, and neighbouring threads always read neighbouring elements:
//
//             columns = 3, threads = 6     thread  0 1 2 | 3 4 5
//                                          row 0/1  a b c | d e f
//                                          row 2/3  a b c | d e f      y = [[sum a, sum b, sum c],
//                                          row 4    a b c |                 [sum d, sum e, sum f]]
//   cost    1 FLOP (2 with SQUARE) and 4 bytes an element
//   needs   WORKGROUP, SQUARE

struct Params {
  count: u32,
  threads: u32,
  xOffset: u32,
  yOffset: u32,
  divisor: f32,
  inOrder: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn term(i: u32) -> f32 {
  let value = f32(x[params.xOffset + i]);
  return select(value, value * value, SQUARE);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let j = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (j >= params.threads) { return; }
  let step = params.threads;
  var i = j;
  // Unless inOrder, four sums at a time: four independent chains of additions, each a quarter as long.
  var sums = vec4f();
  let byFour = select(params.count, 0, params.inOrder == 1);
  for (; i + 3 * step < byFour; i += 4 * step) {
    sums += vec4f(term(i), term(i + step), term(i + 2 * step), term(i + 3 * step));
  }
  for (; i < params.count; i += step) { sums.x += term(i); }
  y[params.yOffset + j] = ((sums.x + sums.y) + (sums.z + sums.w)) / params.divisor;
}
