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
  aRow: u32,
  aBatch: u32,
  bOffset: u32,
  bRow: u32,
  bBatch: u32,
  cOffset: u32,
  cRow: u32,
  cBatch: u32,
  cSplit: u32,
  biasOffset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
