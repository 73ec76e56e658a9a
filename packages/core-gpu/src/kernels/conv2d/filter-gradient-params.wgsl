// As params.wgsl, and which share of the pixels a workgroup sums: pixelsPerSplit of them, into the dkernel that lies
// splitStride further than the one before.

struct Params {
  first: u32,
  pixels: u32,
  oh: u32,
  ow: u32,
  h: u32,
  w: u32,
  ci: u32,
  co: u32,
  kh: u32,
  kw: u32,
  strideH: u32,
  strideW: u32,
  dilationH: u32,
  dilationW: u32,
  padTop: i32,
  padLeft: i32,
  xStrideN: u32,
  xStrideH: u32,
  xStrideW: u32,
  xOffset: i32,
  kernelOffset: u32,
  yStrideN: u32,
  yStrideH: u32,
  yStrideW: u32,
  yOffset: i32,
  pixelsPerSplit: u32,
  splitStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
