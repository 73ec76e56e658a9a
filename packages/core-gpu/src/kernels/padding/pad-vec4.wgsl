// Zero padding as pad.wgsl, four channels at a time.
//
//   x, y    as in pad.wgsl, but `c` and every number of elements count vectors of four channels
//   thread  one vector of y. Frame elements are written when `isFirst` is 1, others by the dispatch that has their x
//   needs   channels divisible by 4; WORKGROUP
//   cost    4 bytes per element of x and y

struct Params {
  count: u32,
  yFirst: u32,
  xFirst: u32,
  xCount: u32,
  h: u32,
  w: u32,
  c: u32,
  height: u32,
  width: u32,
  top: u32,
  left: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.yFirst + i;
  let ch = index % params.c;
  // Rows and columns before the image wrap round to huge numbers, so one comparison finds both sides of the frame.
  let ix = (index / params.c) % params.width - params.left;
  let iy = (index / params.c / params.width) % params.height - params.top;
  let n = index / params.c / params.width / params.height;
  if (ix >= params.w || iy >= params.h) {
    if (params.isFirst == 1u) { y[i] = Stored4(); }
    return;
  }
  let source = ((n * params.h + iy) * params.w + ix) * params.c + ch - params.xFirst;
  if (source < params.xCount) { y[i] = x[source]; }
}
