// Sums over the positions of an image, in parts, as spatial-sum.wgsl, four channels at a time.
//
//   x, y    as in spatial-sum.wgsl, but `c` and every number of elements count vectors of four channels
//   thread  one vector of y
//   needs   channels divisible by 4; WORKGROUP, SPLIT as in spatial-sum.wgsl
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
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.yFirst + i;
  let ch = index % params.c;
  let part = (index / params.c) % params.parts;
  let group = index / params.c / params.parts;
  var sum = vec4f(0.0);
  if (SPLIT && params.isFirst == 0u) { sum = vec4f(y[i]); }
  let end = min((part + 1u) * params.step, params.positions);
  for (var p = part * params.step; p < end; p++) {
    let source = (group * params.positions + p) * params.c + ch - params.xFirst;
    if (SPLIT && source >= params.xCount) { continue; }
    sum += vec4f(x[source]);
  }
  y[i] = Y4(select(sum, sum * params.scale, params.isLast == 1u));
}
