// Second pass of a convolution whose sum over k was cut into parts: adds the parts, always in the same order, and does
// what a convolution does with its sums before it writes them.
//
//   partials  (splits, pixels, co) dense
//   y         strided as for tiled-forward.wgsl; residual lies as y does
//   thread    four channels of one pixel
//   cost      splits additions for each element
//   needs     co and all strides and offsets divisible by 4
//             WORKGROUP, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds)

struct Params {
  first: u32,
  pixels: u32,
  splits: u32,
  oh: u32,
  ow: u32,
  co: u32,
  yStrideN: u32,
  yStrideH: u32,
  yStrideW: u32,
  yOffset: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<Bias4>;
@group(0) @binding(3) var<storage, read> residual: array<Residual4>;
@group(0) @binding(4) var<storage, read_write> y: array<Y4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  let columns = params.co / 4;
  let count = params.pixels * columns;
  if (t >= count) { return; }
  let column = t % columns;
  let pixel = params.first + t / columns;
  let row = pixel / params.ow;
  let start = row / params.oh * params.yStrideN + row % params.oh * params.yStrideH + pixel % params.ow * params.yStrideW;
  let at = u32(i32(start) + params.yOffset) / 4 + column;
  var sum = vec4f();
  for (var s = 0u; s < params.splits; s++) {
    sum += partials[s * count + t];
  }
  if (ACCUMULATE) { sum += vec4f(y[at]); }
  if (HAS_BIAS) { sum += vec4f(bias[column]); }
  if (ADD_RESIDUAL) { sum += vec4f(residual[at]); }
  if (RELU) { sum = select(sum, vec4f(), sum < vec4f()); } // lets NaN through, unlike max
  y[at] = Y4(sum);
}
