// Two tiles in shared memory multiplied by subgroup matrices: what matmul/ and conv2d/ have in common on tensor cores.
//
// A workgroup of SUBGROUPS_M x SUBGROUPS_N subgroups computes a tile of TILE_M x TILE_N of the product, each subgroup FRAGMENTS_M x FRAGMENTS_N
// fragments of it, and a fragment is FRAGMENT_M x FRAGMENT_N sums:
//
//                      rightTile  TILE_K x TILE_N
//                      +---------------------------+      One step multiplies a fragment of FRAGMENT_M x FRAGMENT_K
//       leftTile       |      |  R  R |            |      numbers of the left tile with one of FRAGMENT_K x FRAGMENT_N
//       TILE_M x TILE_K +---------------------------+      of the right tile: 4096 multiply-adds for 512 numbers where a
//       +------+       +------+-------+-----+------+      fragment is 16 x 16 x 16. A subgroup loads FRAGMENTS_M + FRAGMENTS_N of
//       |      |       |      | subgroup    |      |      them for FRAGMENTS_M FRAGMENTS_N products.
//       +------+       +------+-------+-----+------+
//       |  L   |       |      | S  S  |     |      |
//       |  L   |       |      | S  S  |     |      |
//       +------+       +------+-------+-----+------+
//
// Tiles hold Elements (f16, or f32 where the cores take that); sums are f32. Each row ends with PAD unused Elements, 16
// bytes, so that neighbouring rows do not begin in the same bank of shared memory.
//
// Nothing is checked here: whoever fills the tiles writes 0 past the end of k, and drops rows and columns that do not
// exist in its 'storeVec4(origin, row, column, four)', where a TileOrigin says where the tile begins.
//
//   needs     Element, FRAGMENT_M, FRAGMENT_N, FRAGMENT_K; LANES of a subgroup; SUBGROUPS_M, SUBGROUPS_N, FRAGMENTS_M, FRAGMENTS_N; TILE_K; PAD

const WORKGROUP = LANES * SUBGROUPS_M * SUBGROUPS_N;
const TILE_M = SUBGROUPS_M * FRAGMENTS_M * FRAGMENT_M;
const TILE_N = SUBGROUPS_N * FRAGMENTS_N * FRAGMENT_N;
const LEFT_STRIDE = TILE_K + PAD;
const RIGHT_STRIDE = TILE_N + PAD;
const FRAGMENT = FRAGMENT_M * FRAGMENT_N;

// vec4f of each tile that a thread fetches.
const LEFT_FETCHES = TILE_M * TILE_K / 4 / WORKGROUP;
const RIGHT_FETCHES = TILE_K * TILE_N / 4 / WORKGROUP;

var<workgroup> leftTile: array<Element, TILE_M * LEFT_STRIDE>;
var<workgroup> rightTile: array<Element, TILE_K * RIGHT_STRIDE>;
var<workgroup> results: array<f32, SUBGROUPS_M * SUBGROUPS_N * FRAGMENT>; // one fragment of each subgroup

// #include "subgroup-matrix.wgsl"

alias Sums = array<Sum, FRAGMENTS_M * FRAGMENTS_N>;

// Four neighbours along k of one row of the left factor.
fn storeLeft(row: u32, step: u32, value: vec4f) {
  let at = row * LEFT_STRIDE + step;
  leftTile[at] = Element(value.x);
  leftTile[at + 1] = Element(value.y);
  leftTile[at + 2] = Element(value.z);
  leftTile[at + 3] = Element(value.w);
}

// Four neighbouring columns of one row of the right factor.
fn storeRight(step: u32, column: u32, value: vec4f) {
  let at = step * RIGHT_STRIDE + column;
  rightTile[at] = Element(value.x);
  rightTile[at + 1] = Element(value.y);
  rightTile[at + 2] = Element(value.z);
  rightTile[at + 3] = Element(value.w);
}

// Adds the product of the tiles to the fragments of a subgroup.
fn multiplyTiles(subgroup: u32, sums: ptr<function, Sums>) {
  let left = subgroup / SUBGROUPS_N * FRAGMENTS_M * FRAGMENT_M * LEFT_STRIDE;
  let right = subgroup % SUBGROUPS_N * FRAGMENTS_N * FRAGMENT_N;
  for (var step = 0u; step < TILE_K; step += FRAGMENT_K) {
    var columns: array<Right, FRAGMENTS_N>;
    for (var j = 0u; j < FRAGMENTS_N; j++) { columns[j] = loadRight(right + step * RIGHT_STRIDE + j * FRAGMENT_N); }
    for (var i = 0u; i < FRAGMENTS_M; i++) {
      let row = loadLeft(left + i * FRAGMENT_M * LEFT_STRIDE + step);
      for (var j = 0u; j < FRAGMENTS_N; j++) {
        (*sums)[i * FRAGMENTS_N + j] = multiplyAdd(row, columns[j], (*sums)[i * FRAGMENTS_N + j]);
      }
    }
  }
}

// Hands the sums to storeVec4. Only a whole subgroup can write a fragment, and only to where it is a plain matrix: so one
// fragment of each subgroup at a time goes through shared memory, and every thread takes some vec4 of these.
fn storeSums(origin: TileOrigin, subgroup: u32, thread: u32, sums: ptr<function, Sums>) {
  for (var at = 0u; at < FRAGMENTS_M * FRAGMENTS_N; at++) {
    storeSum(subgroup * FRAGMENT, (*sums)[at]);
    workgroupBarrier();
    for (var f = thread; f < SUBGROUPS_M * SUBGROUPS_N * FRAGMENT / 4; f += WORKGROUP) {
      let owner = f / (FRAGMENT / 4);
      let row = (owner / SUBGROUPS_N * FRAGMENTS_M + at / FRAGMENTS_N) * FRAGMENT_M + f % (FRAGMENT / 4) / (FRAGMENT_N / 4);
      let column = (owner % SUBGROUPS_N * FRAGMENTS_N + at % FRAGMENTS_N) * FRAGMENT_N + 4 * (f % (FRAGMENT_N / 4));
      storeVec4(origin, row, column, vec4f(results[4 * f], results[4 * f + 1], results[4 * f + 2], results[4 * f + 3]));
    }
    workgroupBarrier();
  }
}
