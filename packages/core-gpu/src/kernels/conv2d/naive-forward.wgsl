// Convolution, the obvious way: y[n, oy, ox, o] = sum over ky, kx, c of x[n, iy, ix, c] * kernel[ky, kx, c, o]
// with iy = oy * strideH + ky * dilationH - padTop, and zero where iy or ix lies outside the image.
//
//   x       element (n, iy, ix, c) at n * xStrideN + iy * xStrideH + ix * xStrideW + c + xOffset
//   kernel  a matrix (c, o) for each tap, placed as params.wgsl says
//   y       element (n, oy, ox, o) at n * yStrideN + oy * yStrideH + ox * yStrideW + o + yOffset; residual lies as y does
//   thread  one element of y; neighbours in o share the x they read
//
//     thread t -> pixel first + t / co (counted through n, oy, ox), channel t % co
//
//   cost    2 * kh * kw * ci FLOP and 2 * kh * kw * ci loads for each element
//   needs   WORKGROUP, HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE (add to what y holds: a later part of a split sum)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel>;
@group(0) @binding(3) var<storage, read> bias: array<Bias>;
@group(0) @binding(4) var<storage, read> residual: array<Residual>;
@group(0) @binding(5) var<storage, read_write> y: array<Y>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.pixels * params.co) { return; }
  let o = t % params.co;
  let pixel = params.first + t / params.co;
  let n = pixel / (params.oh * params.ow);
  let oy = (pixel / params.ow) % params.oh;
  let ox = pixel % params.ow;

  var sum = 0.0;
  for (var ky = 0u; ky < params.kh; ky++) {
    let iy = i32(oy * params.strideH + ky * params.dilationH) - params.padTop;
    if (iy < 0 || iy >= i32(params.h)) { continue; }
    for (var kx = 0u; kx < params.kw; kx++) {
      let ix = i32(ox * params.strideW + kx * params.dilationW) - params.padLeft;
      if (ix < 0 || ix >= i32(params.w)) { continue; }
      let source = i32(n * params.xStrideN + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW) + params.xOffset;
      let weights = params.kernelOffset + u32(i32(ky) * params.kernelStrideH + i32(kx) * params.kernelStrideW) + o;
      for (var c = 0u; c < params.ci; c++) {
        sum += f32(x[u32(source) + c]) * f32(kernel[weights + c * params.kernelStrideRow]);
      }
    }
  }
  let at = u32(i32(n * params.yStrideN + oy * params.yStrideH + ox * params.yStrideW + o) + params.yOffset);
  if (ACCUMULATE) { sum += f32(y[at]); }
  if (HAS_BIAS) { sum += f32(bias[o]); }
  if (ADD_RESIDUAL) { sum += f32(residual[at]); }
  if (RELU && sum < 0.0) { sum = 0.0; } // lets NaN through, unlike max
  y[at] = Y(sum);
}
