// Gradient of max pooling in one pass: the first rung of the ladder, nothing else uses it.
//
//   x, dx   (n, h, w, c), count floats
//   dy      (n, oh, ow, c)
//   thread  one element of dx: it looks at every window that contains it and searches each for its first maximum,
//           so that overlapping windows are searched over and over. max.wgsl with POSITIONS and max-gradient.wgsl
//           search each window once
//   needs   WORKGROUP; all three in one binding each
//   cost    poolH * poolW comparisons per window and element of dx

struct Params {
  count: u32,
  h: u32,
  w: u32,
  c: u32,
  oh: u32,
  ow: u32,
  poolH: u32,
  poolW: u32,
  strideH: u32,
  strideW: u32,
  padTop: u32,
  padLeft: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// Where in the image the first maximum of window (oy, ox) is.
fn firstMaximum(n: u32, oy: u32, ox: u32, ch: u32) -> u32 {
  let y0 = u32(max(i32(oy * params.strideH) - i32(params.padTop), 0));
  let y1 = min(oy * params.strideH + params.poolH - params.padTop, params.h);
  let x0 = u32(max(i32(ox * params.strideW) - i32(params.padLeft), 0));
  let x1 = min(ox * params.strideW + params.poolW - params.padLeft, params.w);
  var at = y0 * params.w + x0;
  var best = x[(n * params.h * params.w + at) * params.c + ch];
  for (var iy = y0; iy < y1; iy++) {
    for (var ix = x0; ix < x1; ix++) {
      let v = x[((n * params.h + iy) * params.w + ix) * params.c + ch];
      if (v > best) {
        best = v;
        at = iy * params.w + ix;
      }
    }
  }
  return at;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let ch = i % params.c;
  let ix = (i / params.c) % params.w;
  let iy = (i / params.c / params.w) % params.h;
  let n = i / params.c / params.w / params.h;
  // Windows oy0 .. oy1 - 1 contain row iy: oy * strideH <= iy + padTop < oy * strideH + poolH. Columns likewise.
  let py = iy + params.padTop;
  let px = ix + params.padLeft;
  let oy0 = select(0u, (py - params.poolH) / params.strideH + 1u, py >= params.poolH);
  let oy1 = min(py / params.strideH + 1u, params.oh);
  let ox0 = select(0u, (px - params.poolW) / params.strideW + 1u, px >= params.poolW);
  let ox1 = min(px / params.strideW + 1u, params.ow);
  var sum = 0.0;
  for (var oy = oy0; oy < oy1; oy++) {
    for (var ox = ox0; ox < ox1; ox++) {
      if (firstMaximum(n, oy, ox, ch) == iy * params.w + ix) {
        sum += dy[((n * params.oh + oy) * params.ow + ox) * params.c + ch];
      }
    }
  }
  dx[i] = sum;
}
