// Gradient of average pooling as average-gradient.wgsl, four channels at a time.
//
//   dy, dx  as in average-gradient.wgsl, but in vectors of four channels: `c`, `xFirst`, `yFirst`, `yCount` and
//           `count` count vectors
//   thread  four channels of one position of dx
//   needs   channels divisible by 4; WORKGROUP, SPLIT as in average-gradient.wgsl
//   cost    one division and addition per window; 4 bytes per element of dy and dx

// #include "gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> dy: array<Dy4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Dx4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.xFirst + i;
  let ch = index % params.c;
  let ix = (index / params.c) % params.w;
  let iy = (index / params.c / params.w) % params.h;
  let n = index / params.c / params.w / params.h;
  // Windows oy0 .. oy1 - 1 contain row iy: oy * strideH <= iy + padTop < oy * strideH + poolH. Columns likewise.
  let py = iy + params.padTop;
  let px = ix + params.padLeft;
  let oy0 = select(0u, (py - params.poolH) / params.strideH + 1u, py >= params.poolH);
  let oy1 = min(py / params.strideH + 1u, params.oh);
  let ox0 = select(0u, (px - params.poolW) / params.strideW + 1u, px >= params.poolW);
  let ox1 = min(px / params.strideW + 1u, params.ow);

  var sum = vec4f(0.0);
  if (SPLIT && params.isFirst == 0u) { sum = vec4f(dx[i]); }
  for (var oy = oy0; oy < oy1; oy++) {
    let y0 = max(oy * params.strideH, params.padTop);
    let y1 = min(oy * params.strideH + params.poolH, params.h + params.padTop);
    for (var ox = ox0; ox < ox1; ox++) {
      let source = ((n * params.oh + oy) * params.ow + ox) * params.c + ch - params.yFirst;
      if (SPLIT && source >= params.yCount) { continue; }
      let x0 = max(ox * params.strideW, params.padLeft);
      let x1 = min(ox * params.strideW + params.poolW, params.w + params.padLeft);
      sum += vec4f(dy[source]) / f32((y1 - y0) * (x1 - x0));
    }
  }
  dx[i] = Dx4(sum);
}
