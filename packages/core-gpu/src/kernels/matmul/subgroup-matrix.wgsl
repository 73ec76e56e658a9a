// c = op(a) op(b) + bias, relu of that if wanted, on tensor cores: EXPERIMENTAL, and never run on any.
//
// As in tiled.wgsl, a workgroup puts tiles of a and b into shared memory, and the next pair is on its way into registers
// while the present one is multiplied. It is the multiplying that differs: whole subgroups multiply whole fragments
// (../shared/fragment-product.wgsl).
//
//   a, b, c   as in naive.wgsl; a4 and b4 are the same memory as a and b, seen as vec4f, and are read instead of
//             them where VEC_A, VEC_B: rows and offsets are then multiples of 4 floats
//   tile      TILE_M x TILE_N of c for each workgroup of SUBGROUPS_M x SUBGROUPS_N subgroups; TILE_K steps of k at a time
//   precision numbers of a and b are rounded to Element; products and sums are f32. With f16 that is 11 bits, and 65504
//             is the largest number: not for float32 operands, unless the caller has asked for that
//   edges     as in tiled.wgsl: zeros past the end of k, rows and columns that do not exist are not stored
//   shared    TILE_M (TILE_K + PAD) + TILE_K (TILE_N + PAD) Elements and a fragment of f32 for each subgroup:
//             12.25 KiB with a tile of 128 x 64, TILE_K 16, f16, fragments of 16 x 16 x 16
//   cost      2 m n k FLOP; each workgroup reads (TILE_M + TILE_N) k numbers
//   needs     what fragment-product.wgsl needs; TRANSPOSE_A, TRANSPOSE_B, VEC_A, VEC_B; WHOLE_N (n is a multiple of 4);
//             WHOLE_K (k is a multiple of TILE_K); HAS_BIAS, RELU, ACCUMULATE (add to what is in c)

// #include "params.wgsl"
@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> a4: array<A4>;
@group(0) @binding(3) var<storage, read> b: array<B>;
@group(0) @binding(4) var<storage, read> b4: array<B4>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> c: array<C>;

// #include "load-vec4.wgsl"
// #include "store.wgsl"

// Where a workgroup's tile of c begins: its product, row and column.
struct TileOrigin {
  start: u32,
  row: u32,
  column: u32,
}

// #include "../shared/fragment-product.wgsl"

fn storeVec4(origin: TileOrigin, row: u32, column: u32, value: vec4f) {
  store(origin.start, origin.row + row, origin.column + column, value);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) nwg: vec3u,
  @builtin(local_invocation_index) lid: u32,
  @builtin(subgroup_id) sid: u32,
) {
  let group = wid.y * nwg.x + wid.x;
  if (group >= params.groups) { return; }
  let tiles = params.tilesM * params.tilesN;
  let tile = group % tiles;
  let item = (group / tiles) % params.batch;
  let split = group / tiles / params.batch;
  let row = (tile / params.tilesN) * TILE_M;
  let column = (tile % params.tilesN) * TILE_N;
  let subgroup = subgroupOf(sid, lid);
  let kBegin = split * params.kPerSplit;
  let kEnd = min(params.k, kBegin + params.kPerSplit);

  let aAlong = select(1, params.aStrideRow, TRANSPOSE_A);
  let bAlong = select(params.bStrideRow, 1, TRANSPOSE_B);
  let aStart = params.aOffset + item * params.aStrideBatch + row * select(params.aStrideRow, 1, TRANSPOSE_A);
  let bStart = params.bOffset + item * params.bStrideBatch + column * select(1, params.bStrideRow, TRANSPOSE_B);

  var sums: Sums;
  // Each round fetches the tiles at kk, multiplies those of the round before, and puts the fetched ones in their origin.
  for (var kk = kBegin; kk < kEnd + TILE_K; kk += TILE_K) {
    var nextA: array<vec4f, LEFT_FETCHES>;
    var nextB: array<vec4f, RIGHT_FETCHES>;
    if (kk < kEnd) {
      for (var f = 0u; f < LEFT_FETCHES; f++) {
        let at = leftCoordinates(lid + f * WORKGROUP);
        nextA[f] = loadA(aStart + at.x * select(params.aStrideRow, 1, TRANSPOSE_A) + (kk + at.y) * aAlong);
        if (!WHOLE_K) { nextA[f] = select(vec4f(), nextA[f], vec4u(0, 1, 2, 3) + kk + at.y < vec4u(kEnd)); }
      }
      for (var f = 0u; f < RIGHT_FETCHES; f++) {
        let at = rightCoordinates(lid + f * WORKGROUP);
        nextB[f] = loadB(bStart + (kk + at.x) * bAlong + at.y * select(1, params.bStrideRow, TRANSPOSE_B));
        if (!WHOLE_K) { nextB[f] = select(vec4f(), nextB[f], kk + at.x < kEnd); }
      }
    }
    if (kk > kBegin) { multiplyTiles(subgroup, &sums); }
    workgroupBarrier();
    if (kk < kEnd) {
      for (var f = 0u; f < LEFT_FETCHES; f++) {
        let at = leftCoordinates(lid + f * WORKGROUP);
        storeLeft(at.x, at.y, nextA[f]);
      }
      for (var f = 0u; f < RIGHT_FETCHES; f++) {
        let at = rightCoordinates(lid + f * WORKGROUP);
        storeRight(at.x, at.y, nextB[f]);
      }
    }
    workgroupBarrier();
  }

  let start = params.cOffset + item * params.cStrideBatch + split * params.cStrideSplit;
  storeSums(TileOrigin(start, row, column), subgroup, lid, &sums);
}

// Row and first step of four numbers of the tile of a. Neighbouring threads fetch neighbouring memory: along k, or across
// it where the operand lies that way.
fn leftCoordinates(four: u32) -> vec2u {
  if (TRANSPOSE_A) { return vec2u(four % TILE_M, 4 * (four / TILE_M)); }
  return vec2u(four / (TILE_K / 4), 4 * (four % (TILE_K / 4)));
}

// Step and first column of four numbers of the tile of b.
fn rightCoordinates(four: u32) -> vec2u {
  if (TRANSPOSE_B) { return vec2u(four % TILE_K, 4 * (four / TILE_K)); }
  return vec2u(four / (TILE_N / 4), 4 * (four % (TILE_N / 4)));
}
