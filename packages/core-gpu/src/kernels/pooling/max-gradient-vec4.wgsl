// Gradient of max pooling as max-gradient.wgsl, four channels at a time.
//
//   position, dy, dx  as in max-gradient.wgsl, but in vectors of four channels: `c`, `xFirst`, `yFirst`, `yCount` and
//                     `count` count vectors
//   thread            four channels of one position of dx
//   needs             channels divisible by 4; WORKGROUP, SPLIT as in max-gradient.wgsl
//   cost              one comparison and addition per window; 8 bytes per element of dy, 4 per element of dx

// #include "gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> position: array<vec4u>;
@group(0) @binding(2) var<storage, read> dy: array<Dy4>;
@group(0) @binding(3) var<storage, read_write> dx: array<Dx4>;

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

  let here = vec4u(iy * params.w + ix);
  var sum = vec4f(0.0);
  if (SPLIT && params.isFirst == 0u) { sum = vec4f(dx[i]); }
  for (var oy = oy0; oy < oy1; oy++) {
    for (var ox = ox0; ox < ox1; ox++) {
      let source = ((n * params.oh + oy) * params.ow + ox) * params.c + ch - params.yFirst;
      if (SPLIT && source >= params.yCount) { continue; }
      sum += select(vec4f(0.0), vec4f(dy[source]), position[source] == here);
    }
  }
  dx[i] = Dx4(sum);
}
