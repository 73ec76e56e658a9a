// Gradient of max pooling: each element of dx gathers dy from the windows whose first maximum it is.
//
//   position  (n, oh, ow, c) u32 as max.wgsl wrote it, here the yCount elements from yFirst on
//   dy        as position, floats
//   dx        (n, h, w, c), here the count floats from element xFirst on
//   thread    one element of dx: it looks at the (at most ceil(poolH/strideH) * ceil(poolW/strideW)) windows that contain it. No two
//             threads write the same place, so no atomics are needed and the order of the sum is fixed
//   needs     WORKGROUP; SPLIT when dy comes in several binding slices: then dx holds the sum over those before this one,
//             except when `isFirst` is 1
//   cost      one comparison and addition per window; 8 bytes per element of dy, 4 per element of dx

// #include "gradient-params.wgsl"
@group(0) @binding(1) var<storage, read> position: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read_write> dx: array<Dx>;

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

  let here = iy * params.w + ix;
  var sum = 0.0;
  if (SPLIT && params.isFirst == 0u) { sum = f32(dx[i]); }
  for (var oy = oy0; oy < oy1; oy++) {
    for (var ox = ox0; ox < ox1; ox++) {
      let source = ((n * params.oh + oy) * params.ow + ox) * params.c + ch - params.yFirst;
      if (SPLIT && source >= params.yCount) { continue; }
      if (position[source] == here) { sum += f32(dy[source]); }
    }
  }
  dx[i] = Dx(sum);
}
