// Gradient of a convolution with respect to its kernel, the obvious way: a weight meets every output pixel once.
//
//   dkernel[ky, kx, c, o] = sum over n, oy, ox of x[n, iy, ix, c] * dy[n, oy, ox, o]
//   with iy = oy * strideH + ky * dilationH - padTop, and zero where iy or ix lies outside the image.
//
//   x, dy   strided like x and y of the forward kernel     dkernel  (kh, kw, ci, co) dense from kernelOffset on
//   thread  one element of dkernel, over the pixels first .. first + pixels
//   cost    2 * n * oh * ow FLOP for each element
//   needs   WORKGROUP, ACCUMULATE (add to what dkernel holds: a later part of the pixels)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read_write> dkernel: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.kh * params.kw * params.ci * params.co) { return; }
  let o = t % params.co;
  let row = t / params.co;
  let c = row % params.ci;
  let tap = row / params.ci;
  let down = i32(tap / params.kw * params.dilationH) - params.padTop;
  let right = i32(tap % params.kw * params.dilationW) - params.padLeft;

  var sum = 0.0;
  for (var i = 0u; i < params.pixels; i++) {
    let pixel = params.first + i;
    let n = pixel / (params.oh * params.ow);
    let oy = (pixel / params.ow) % params.oh;
    let ox = pixel % params.ow;
    let iy = i32(oy * params.strideH) + down;
    let ix = i32(ox * params.strideW) + right;
    if (iy < 0 || iy >= i32(params.h) || ix < 0 || ix >= i32(params.w)) { continue; }
    let source = i32(n * params.xStrideN + u32(iy) * params.xStrideH + u32(ix) * params.xStrideW + c) + params.xOffset;
    let gradient = i32(n * params.yStrideN + oy * params.yStrideH + ox * params.yStrideW + o) + params.yOffset;
    sum += f32(x[u32(source)]) * f32(dy[u32(gradient)]);
  }
  let at = params.kernelOffset + t;
  if (ACCUMULATE) { sum += dkernel[at]; }
  dkernel[at] = sum;
}
