// Average pooling as average.wgsl, four channels at a time: a quarter of the threads, loads and index arithmetic.
//
//   x, y    as in average.wgsl, but in vectors of four channels: `c`, `yFirst`, `xFirst`, `xCount` and `count` count
//           vectors
//   thread  four channels of one output position
//   needs   channels divisible by 4; WORKGROUP, SPLIT as in average.wgsl
//   cost    poolH * poolW additions per output; 4 bytes per element of x and y

// #include "average-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.yFirst + i;
  let ch = index % params.c;
  let ox = (index / params.c) % params.ow;
  let oy = (index / params.c / params.ow) % params.oh;
  let n = index / params.c / params.ow / params.oh;
  // The part of the window that lies inside the image.
  let y0 = u32(max(i32(oy * params.strideH) - i32(params.padTop), 0));
  let y1 = min(oy * params.strideH + params.poolH - params.padTop, params.h);
  let x0 = u32(max(i32(ox * params.strideW) - i32(params.padLeft), 0));
  let x1 = min(ox * params.strideW + params.poolW - params.padLeft, params.w);

  var sum = vec4f(0.0);
  if (SPLIT && params.isFirst == 0u) { sum = vec4f(y[i]); }
  for (var iy = y0; iy < y1; iy++) {
    for (var ix = x0; ix < x1; ix++) {
      let source = ((n * params.h + iy) * params.w + ix) * params.c + ch - params.xFirst;
      if (SPLIT && source >= params.xCount) { continue; }
      sum += vec4f(x[source]);
    }
  }
  let pixels = f32((y1 - y0) * (x1 - x0));
  y[i] = Y4(select(sum, sum / pixels, params.isLast == 1u));
}
