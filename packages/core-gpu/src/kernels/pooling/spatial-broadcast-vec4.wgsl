// Gradient of global average pooling as spatial-broadcast.wgsl, four channels at a time.
//
//   dy, dx  as in spatial-broadcast.wgsl, but `c` and every number of elements count vectors of four channels
//   thread  one vector of dx; those whose dy is in another binding slice leave theirs alone
//   needs   channels divisible by 4; WORKGROUP
//   cost    1 FLOP and 4 bytes per element of dx

struct Params {
  count: u32,
  xFirst: u32,
  yFirst: u32,
  yCount: u32,
  positions: u32,
  c: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Dx4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.xFirst + i;
  let source = index / params.c / params.positions * params.c + index % params.c - params.yFirst;
  if (source >= params.yCount) { return; }
  dx[i] = Dx4(vec4f(dy[source]) / f32(params.positions));
}
