// Convolution for software adapters without subgroups of 8: register tiles, no shared memory.
//
// The same product as subgroup-forward.wgsl, but every thread loads all it needs by itself.
//
//   x, y    strided: element (n, row, column, channel) at n * Image + row * Row + column * Pixel + channel + Offset;
//           residual lies as y does
//   kernel  a matrix (c, o) for each tap, or with TRANSPOSED a matrix (o, c), placed as params.wgsl says
//   tile    PIXELS pixels x 4 channels for each thread
//
//              thread 0   thread 1   ...
//            o 0123       4567              for each tap and 4 channels c: 4 vec4 of kernel, then one vec4 of x
//     pixel 0  ####       ####              for each pixel, 16 products for each
//     pixel 1  ####       ####
//       ...
//
//   cost    2 * kh * kw * ci FLOP for each element of y; (4 + PIXELS) vec4 loads for 16 * PIXELS multiply-adds
//   needs   ci, co and all strides and offsets divisible by 4
//           WORKGROUP, PIXELS, TRANSPOSED, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds: a later part of a split sum)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel4>;
@group(0) @binding(3) var<storage, read> bias: array<Bias4>;
@group(0) @binding(4) var<storage, read> residual: array<Residual4>;
@group(0) @binding(5) var<storage, read_write> y: array<Y4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let thread = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  let columns = params.co / 4;
  let column = thread % columns;
  let tilePixel = thread / columns * PIXELS;
  if (tilePixel >= params.pixels) { return; }

  // Where each pixel lies in y, and where its receptive field starts in x. Pixels past the last one repeat it.
  var outputAt: array<u32, PIXELS>;
  var image: array<u32, PIXELS>;
  var startRow: array<i32, PIXELS>;
  var startColumn: array<i32, PIXELS>;
  for (var i = 0u; i < PIXELS; i++) {
    let pixel = params.first + min(tilePixel + i, params.pixels - 1);
    let row = pixel / params.ow;
    let ox = pixel % params.ow;
    let oy = row % params.oh;
    let n = row / params.oh;
    outputAt[i] = u32(i32(n * params.yStrideN + oy * params.yStrideH + ox * params.yStrideW) + params.yOffset) / 4 + column;
    image[i] = n * params.xStrideN;
    startRow[i] = i32(oy * params.strideH) - params.padTop;
    startColumn[i] = i32(ox * params.strideW) - params.padLeft;
  }

  var sums: array<vec4f, PIXELS>;
  let pitch = params.kernelStrideRow / 4;
  for (var ky = 0u; ky < params.kh; ky++) {
    for (var kx = 0u; kx < params.kw; kx++) {
      // A tap outside the image reads element 0 and counts as zero.
      var inside: array<bool, PIXELS>;
      var source: array<u32, PIXELS>;
      for (var i = 0u; i < PIXELS; i++) {
        let iy = startRow[i] + i32(ky * params.dilationH);
        let ix = startColumn[i] + i32(kx * params.dilationW);
        let isInside = u32(iy) < params.h && u32(ix) < params.w;
        let at = u32(i32(image[i] + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW) + params.xOffset) / 4;
        inside[i] = isInside;
        source[i] = select(0, at, isInside);
      }
      let tap = u32(i32(params.kernelOffset) + i32(ky) * params.kernelStrideH + i32(kx) * params.kernelStrideW) / 4;
      var weight = tap + select(column, 4 * column * pitch, TRANSPOSED);
      for (var c = 0u; c < params.ci / 4; c++) {
        let rows = mat4x4f(
          vec4f(kernel[weight]),
          vec4f(kernel[weight + pitch]),
          vec4f(kernel[weight + 2 * pitch]),
          vec4f(kernel[weight + 3 * pitch]),
        );
        weight += select(4 * pitch, 1, TRANSPOSED);
        var weights = rows;
        if (TRANSPOSED) { weights = transpose(rows); }
        for (var i = 0u; i < PIXELS; i++) {
          sums[i] += weights * select(vec4f(), vec4f(x[source[i] + c]), inside[i]);
        }
      }
    }
  }

  for (var i = 0u; i < PIXELS; i++) {
    if (tilePixel + i < params.pixels) {
      let at = outputAt[i];
      var sum = sums[i];
      if (ACCUMULATE) { sum += vec4f(y[at]); }
      if (HAS_BIAS) { sum += vec4f(bias[column]); }
      if (ADD_RESIDUAL) { sum += vec4f(residual[at]); }
      if (RELU) { sum = select(sum, vec4f(), sum < vec4f()); } // lets NaN through, unlike max
      y[at] = Y4(sum);
    }
  }
}
