// Takes the frame off as crop.wgsl, four channels at a time.
//
//   dy, dx  as in crop.wgsl, but `c` and every number of elements count vectors of four channels
//   thread  one vector of dx; those whose dy is in another binding slice do nothing
//   needs   channels divisible by 4; WORKGROUP
//   cost    8 bytes per element of dx

struct Params {
  count: u32,
  xFirst: u32,
  yFirst: u32,
  yCount: u32,
  h: u32,
  w: u32,
  c: u32,
  height: u32,
  width: u32,
  top: u32,
  left: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.xFirst + i;
  let ch = index % params.c;
  let ix = (index / params.c) % params.w;
  let iy = (index / params.c / params.w) % params.h;
  let n = index / params.c / params.w / params.h;
  let row = n * params.height + iy + params.top;
  let source = (row * params.width + ix + params.left) * params.c + ch - params.yFirst;
  if (source < params.yCount) { dx[i] = dy[source]; }
}
