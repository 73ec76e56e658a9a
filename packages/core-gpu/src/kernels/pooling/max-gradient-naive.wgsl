// Gradient of max pooling in one pass: the first rung of the ladder, nothing else uses it.
//
//   x, dx   (n, h, w, c), count floats
//   dy      (n, oh, ow, c)
//   thread  one element of dx: it looks at every window that contains it and searches each for its first maximum,
//           so that overlapping windows are searched over and over. max.wgsl with POSITIONS and max-gradient.wgsl
//           search each window once
//   needs   WORKGROUP; all three in one binding each
//   cost    ph * pw comparisons per window and element of dx

struct Params {
  count: u32,
  h: u32,
  w: u32,
  c: u32,
  oh: u32,
  ow: u32,
  ph: u32,
  pw: u32,
  sh: u32,
  sw: u32,
  top: u32,
  left: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// Where in the plane the first maximum of window (oy, ox) is.
fn firstMaximum(n: u32, oy: u32, ox: u32, ch: u32) -> u32 {
  let y0 = u32(max(i32(oy * params.sh) - i32(params.top), 0));
  let y1 = min(oy * params.sh + params.ph - params.top, params.h);
  let x0 = u32(max(i32(ox * params.sw) - i32(params.left), 0));
  let x1 = min(ox * params.sw + params.pw - params.left, params.w);
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
  // Windows oy0 .. oy1 - 1 contain row iy: oy * sh <= iy + top < oy * sh + ph. Columns likewise.
  let py = iy + params.top;
  let px = ix + params.left;
  let oy0 = select(0u, (py - params.ph) / params.sh + 1u, py >= params.ph);
  let oy1 = min(py / params.sh + 1u, params.oh);
  let ox0 = select(0u, (px - params.pw) / params.sw + 1u, px >= params.pw);
  let ox1 = min(px / params.sw + 1u, params.ow);
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
