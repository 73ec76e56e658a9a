// Rearranges a convolution kernel: a choice of taps in any order, channels padded with zeros, rows and columns swapped.
//
//   kernel  (ky, kx, ci, co) dense, its first element at sourceOffset of the binding
//   packed  (py, px, rows, columns), its first element at -packedOffset of the binding: tap (py, px) is kernel's tap
//           (firstY + py * stepY, firstX + px * stepX); element (r, s) is kernel's (c, o) = (r, s), or (s, r) with
//           TRANSPOSE, and 0 outside
//   thread  one element of packed: rows firstRow .. + rowCount and columns firstColumn .. + columnCount of all taps
//   cost    0 FLOP, one load and one store for each element
//   needs   WORKGROUP, TRANSPOSE

struct Params {
  taps: u32,
  tapsX: u32,
  firstY: i32,
  firstX: i32,
  stepY: i32,
  stepX: i32,
  kw: u32,
  ci: u32,
  co: u32,
  rows: u32,
  columns: u32,
  firstRow: u32,
  rowCount: u32,
  firstColumn: u32,
  columnCount: u32,
  sourceOffset: i32,
  packedOffset: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> kernel: array<Kernel>;
@group(0) @binding(2) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.taps * params.rowCount * params.columnCount) { return; }
  let column = params.firstColumn + t % params.columnCount;
  let row = params.firstRow + t / params.columnCount % params.rowCount;
  let tap = t / params.columnCount / params.rowCount;
  let ky = params.firstY + i32(tap / params.tapsX) * params.stepY;
  let kx = params.firstX + i32(tap % params.tapsX) * params.stepX;
  let c = select(row, column, TRANSPOSE);
  let o = select(column, row, TRANSPOSE);
  let at = u32(i32(((u32(ky) * params.kw + u32(kx)) * params.ci + c) * params.co + o) + params.sourceOffset);
  let exists = c < params.ci && o < params.co;
  let value = select(0.0, f32(kernel[select(0, at, exists)]), exists);
  packed[u32(i32((tap * params.rows + row) * params.columns + column) + params.packedOffset)] = value;
}
