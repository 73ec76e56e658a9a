// Reads a slice of the channels of y: x[row, k] = y[row, offset + k].
//
//   y       (rows, totalChannels), here the yCount floats from element yFirst on
//   x       (rows, channels), here the count floats from element xFirst on
//   thread  one element of x; those whose source is in another binding slice of y do nothing
//   needs   WORKGROUP
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
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> x: array<Stored>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let index = params.xFirst + i;
  let source = index / params.channels * params.totalChannels + params.offset + index % params.channels - params.yFirst;
  if (source < params.yCount) { x[i] = y[source]; }
}
