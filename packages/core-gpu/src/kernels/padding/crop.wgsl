// Takes the frame off again: dx[n, iy, ix, c] = dy[n, iy + top, ix + left, c]. The gradient of zero padding.
//
//   dy      (n, height, width, c), the padded size; here the yCount floats from element yFirst on
//   dx      (n, h, w, c), here the count floats from element xFirst on
//   thread  one element of dx; those whose dy is in another binding slice do nothing
//   needs   WORKGROUP
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
@group(0) @binding(1) var<storage, read> dy: array<Stored>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;

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
