// What a kernel that walks over output pixels is told of a convolution: pixels first .. first + pixels of its output,
// the shapes, and how x, the kernel and y are strided. The matrix of tap (ky, kx) starts at kernelOffset + ky * kernelStrideH
// + kx * kernelStrideW of the kernel; its rows are kernelStrideRow apart.

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
  kernelStrideH: i32,
  kernelStrideW: i32,
  kernelStrideRow: u32,
  yStrideN: u32,
  yStrideH: u32,
  yStrideW: u32,
  yOffset: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
