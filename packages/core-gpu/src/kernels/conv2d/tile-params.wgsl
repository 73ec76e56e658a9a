// As params.wgsl for a dense kernel, and which share of the sum a workgroup takes: splitDepth steps of k = (ky, kx, c),
// summed into a dense tensor of pixels x channels of its own, splitFloats after the one before.

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
  top: i32,
  left: i32,
  xImage: u32,
  xRow: u32,
  xPixel: u32,
  xOffset: i32,
  kernelOffset: u32,
  yImage: u32,
  yRow: u32,
  yPixel: u32,
  yOffset: i32,
  splitDepth: u32,
  splitFloats: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
