// Sums over the positions of an image, in parts: y[n, part, c] = scale * sum of x[n, p, c] over the positions p
// of that part. Run twice it is global average pooling: first many parts, then one part with scale 1 / (h * w).
//
//   x       (n, positions, c), here the xCount floats from element xFirst on
//   y       (n, parts, c), here the count floats from element yFirst on; part k has positions k * step ..
//   thread  one element of y
//
//           positions  0 1 2 3 4 5 6 7 8 9
//           parts      ---0--- ---1--- -2-      step = 4
//
//   needs   WORKGROUP; SPLIT when x comes in several binding slices: then y holds the sum over those before this one,
//           except when `isFirst` is 1. Scaling happens when `isLast` is 1
//   cost    step additions per element of y; 4 bytes per element of x and y

struct Params {
  count: u32,
  yFirst: u32,
  xFirst: u32,
  xCount: u32,
  positions: u32,
  parts: u32,
  step: u32,
  c: u32,
  scale: f32,
  isFirst: u32,
  isLast: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.yFirst + i;
  let ch = index % params.c;
  let part = (index / params.c) % params.parts;
  let group = index / params.c / params.parts;
  var sum = 0.0;
  if (SPLIT && params.isFirst == 0u) { sum = f32(y[i]); }
  let end = min((part + 1u) * params.step, params.positions);
  for (var p = part * params.step; p < end; p++) {
    let source = (group * params.positions + p) * params.c + ch - params.xFirst;
    if (SPLIT && source >= params.xCount) { continue; }
    sum += f32(x[source]);
  }
  y[i] = Y(select(sum, sum * params.scale, params.isLast == 1u));
}
