// Where the sums of a tile go, and what is done with them on their way.

// Where the channels of a pixel of y lie, in vec4; with SPLIT those of one part's sums.
fn startOf(index: u32, split: u32) -> u32 {
  if (SPLIT) { return (split * params.splitStride + index * params.co) / 4; }
  let row = (params.first + index) / params.ow;
  let ox = (params.first + index) % params.ow;
  let pixel = row / params.oh * params.yStrideN + row % params.oh * params.yStrideH + ox * params.yStrideW;
  return u32(i32(pixel) + params.yOffset) / 4;
}

fn store(start: u32, column: u32, product: vec4f) {
  let at = start + column;
  var sum = product;
  if (ACCUMULATE) { sum += vec4f(y[at]); }
  if (HAS_BIAS) { sum += vec4f(bias[column]); }
  if (ADD_RESIDUAL) { sum += vec4f(residual[at]); }
  if (RELU) { sum = select(sum, vec4f(), sum < vec4f()); } // lets NaN through, unlike max
  y[at] = Y4(sum);
}
