// Max pooling: y[n, oy, ox, c] = max of x over the window's real pixels; with POSITIONS also where it was.
//
//   x         (n, h, w, c), here the xCount floats from element xFirst on
//   y         (n, oh, ow, c), here the count floats from element yFirst on
//   position  as y, u32: iy * w + ix of the first maximum in row-major order; not touched without POSITIONS
//   thread    one output element, channels next to each other
//
//             x          window of output (oy, ox)          y
//             . . . .
//             . A A .    thread i walks A row by row   ->   . i .
//             . A A .
//
//   needs     WORKGROUP, POSITIONS; SPLIT when x comes in several binding slices: then y and position hold what the
//             slices before this one gave, except when `isFirst` is 1
//   cost      poolH * poolW comparisons per output; 4 bytes per element of x and y

// #include "max-params.wgsl"
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<storage, read_write> position: array<u32>;

const NOWHERE = 0xffffffffu;

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

  var best = -3.40282346e38;
  var at = NOWHERE;
  if (SPLIT && params.isFirst == 0u) {
    best = f32(y[i]);
    if (POSITIONS) { at = position[i]; }
  }
  for (var iy = y0; iy < y1; iy++) {
    for (var ix = x0; ix < x1; ix++) {
      let source = ((n * params.h + iy) * params.w + ix) * params.c + ch - params.xFirst;
      if (SPLIT && source >= params.xCount) { continue; }
      let v = f32(x[source]);
      if (v > best || at == NOWHERE) {
        best = max(v, best);
        at = iy * params.w + ix;
      }
    }
  }
  y[i] = Y(best);
  if (POSITIONS) { position[i] = at; }
}
