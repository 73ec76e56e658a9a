// Gradient of a convolution with respect to its input, the obvious way: every y that x[n, iy, ix, c] went into
// hands its gradient back, weighted as x was.
//
//   dx[n, iy, ix, c] = sum over ky, kx, o of dy[n, oy, ox, o] * kernel[ky, kx, c, o]
//   over the ky for which iy + padTop - ky * dilationH is a multiple oy * strideH, 0 <= oy < oh; the same for columns.
//
//   dy      (n, oh, ow, co) dense     kernel  (kh, kw, ci, co) dense     dx  (n, h, w, ci) dense
//   thread  one element of dx
//   cost    2 * kh * kw * co FLOP for each element at stride 1
//   needs   WORKGROUP; every tensor in one binding

struct Params {
  count: u32,
  oh: u32,
  ow: u32,
  h: u32,
  w: u32,
  ci: u32,
  co: u32,
  kh: u32,
  kw: u32,
  strideH: u32,
  strideW: u32,
  dilationH: u32,
  dilationW: u32,
  padTop: i32,
  padLeft: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy>;
@group(0) @binding(2) var<storage, read> kernel: array<Kernel>;
@group(0) @binding(3) var<storage, read_write> dx: array<Dx>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.count) { return; }
  let c = t % params.ci;
  let pixel = t / params.ci;
  let n = pixel / (params.h * params.w);
  let iy = i32((pixel / params.w) % params.h);
  let ix = i32(pixel % params.w);
  let strideH = i32(params.strideH);
  let strideW = i32(params.strideW);

  var sum = 0.0;
  for (var ky = 0u; ky < params.kh; ky++) {
    let row = iy + params.padTop - i32(ky * params.dilationH);
    if (row < 0 || row % strideH != 0 || row / strideH >= i32(params.oh)) { continue; }
    for (var kx = 0u; kx < params.kw; kx++) {
      let column = ix + params.padLeft - i32(kx * params.dilationW);
      if (column < 0 || column % strideW != 0 || column / strideW >= i32(params.ow)) { continue; }
      let gradient = ((n * params.oh + u32(row / strideH)) * params.ow + u32(column / strideW)) * params.co;
      let weights = ((ky * params.kw + kx) * params.ci + c) * params.co;
      for (var o = 0u; o < params.co; o++) {
        sum += f32(dy[gradient + o]) * f32(kernel[weights + o]);
      }
    }
  }
  dx[t] = Dx(sum);
}
