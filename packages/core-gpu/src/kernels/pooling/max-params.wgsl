// The uniforms of max pooling, for one channel and for four at a time; see max.wgsl.

struct Params {
  count: u32,
  yFirst: u32,
  xFirst: u32,
  xCount: u32,
  h: u32,
  w: u32,
  c: u32,
  oh: u32,
  ow: u32,
  poolH: u32,
  poolW: u32,
  strideH: u32,
  strideW: u32,
  padTop: u32,
  padLeft: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
