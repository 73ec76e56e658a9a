// Writes x into a slice of the channels of y as write.wgsl, four channels at a time.
//
//   x, y    as in write.wgsl, but every number of elements or channels counts vectors of four channels
//   thread  one vector of x; those whose place is in another binding slice of y do nothing
//   needs   channels, totalChannels and offset divisible by 4; WORKGROUP
//   cost    8 bytes per element of x

struct Params {
  count: u32,
  xFirst: u32,
  yFirst: u32,
  yCount: u32,
  channels: u32,
  totalChannels: u32,
  offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.xFirst + i;
  let to = index / params.channels * params.totalChannels + params.offset + index % params.channels - params.yFirst;
  if (to < params.yCount) { y[to] = x[i]; }
}
