// The uniforms of every variant; what they mean is said in naive.wgsl.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  batch: u32,
  tilesM: u32,
  tilesN: u32,
  kPerSplit: u32,
  groups: u32,
  aOffset: u32,
  aStrideRow: u32,
  aStrideBatch: u32,
  bOffset: u32,
  bStrideRow: u32,
  bStrideBatch: u32,
  cOffset: u32,
  cStrideRow: u32,
  cStrideBatch: u32,
  cStrideSplit: u32,
  biasOffset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
