// Two tiles in shared memory multiplied by subgroup matrices: what matmul/ and conv2d/ have in common on tensor cores.
//
// A workgroup of DOWN x ACROSS subgroups computes a tile of TILE_M x TILE_N of the product, each subgroup ROWS x COLS
// fragments of it, and a fragment is FRAGMENT_M x FRAGMENT_N sums:
//
//                      rightTile  DEPTH x TILE_N
//                      +---------------------------+      One step multiplies a fragment of FRAGMENT_M x FRAGMENT_K
//       leftTile       |      |  R  R |            |      numbers of the left tile with one of FRAGMENT_K x FRAGMENT_N
//       TILE_M x DEPTH +---------------------------+      of the right tile: 4096 multiply-adds for 512 numbers where a
//       +------+       +------+-------+-----+------+      fragment is 16 x 16 x 16. A subgroup loads ROWS + COLS of
//       |      |       |      | subgroup    |      |      them for ROWS COLS products.
//       +------+       +------+-------+-----+------+
//       |  L   |       |      | S  S  |     |      |
//       |  L   |       |      | S  S  |     |      |
//       +------+       +------+-------+-----+------+
//
// Tiles hold Elements (f16, or f32 where the cores take that); sums are f32. Each row ends with PAD unused Elements, 16
// bytes, so that neighbouring rows do not begin in the same bank of shared memory.
//
// Nothing is checked here: whoever fills the tiles writes 0 past the end of k, and drops rows and columns that do not
// exist in its 'storeFour(corner, row, column, four)', where a Corner says where the tile begins.
//
//   needs     Element, FRAGMENT_M, FRAGMENT_N, FRAGMENT_K; LANES of a subgroup; DOWN, ACROSS, ROWS, COLS; DEPTH; PAD

const WORKGROUP = LANES * DOWN * ACROSS;
const TILE_M = DOWN * ROWS * FRAGMENT_M;
const TILE_N = ACROSS * COLS * FRAGMENT_N;
const LEFT_STRIDE = DEPTH + PAD;
const RIGHT_STRIDE = TILE_N + PAD;
const FRAGMENT = FRAGMENT_M * FRAGMENT_N;

// vec4f of each tile that a thread fetches.
const LEFT_FETCHES = TILE_M * DEPTH / 4 / WORKGROUP;
const RIGHT_FETCHES = DEPTH * TILE_N / 4 / WORKGROUP;

var<workgroup> leftTile: array<Element, TILE_M * LEFT_STRIDE>;
var<workgroup> rightTile: array<Element, DEPTH * RIGHT_STRIDE>;
var<workgroup> results: array<f32, DOWN * ACROSS * FRAGMENT>; // one fragment of each subgroup

// #include "subgroup-matrix.wgsl"

alias Sums = array<Sum, ROWS * COLS>;

// Four neighbours along k of one row of the left factor.
fn putLeft(row: u32, step: u32, four: vec4f) {
  let at = row * LEFT_STRIDE + step;
  leftTile[at] = Element(four.x);
  leftTile[at + 1] = Element(four.y);
  leftTile[at + 2] = Element(four.z);
  leftTile[at + 3] = Element(four.w);
}

// Four neighbouring columns of one row of the right factor.
fn putRight(step: u32, column: u32, four: vec4f) {
  let at = step * RIGHT_STRIDE + column;
  rightTile[at] = Element(four.x);
  rightTile[at + 1] = Element(four.y);
  rightTile[at + 2] = Element(four.z);
  rightTile[at + 3] = Element(four.w);
}

// Adds the product of the tiles to the fragments of a subgroup.
fn multiplyTiles(subgroup: u32, sums: ptr<function, Sums>) {
  let left = subgroup / ACROSS * ROWS * FRAGMENT_M * LEFT_STRIDE;
  let right = subgroup % ACROSS * COLS * FRAGMENT_N;
  for (var step = 0u; step < DEPTH; step += FRAGMENT_K) {
    var columns: array<Right, COLS>;
    for (var j = 0u; j < COLS; j++) { columns[j] = loadRight(right + step * RIGHT_STRIDE + j * FRAGMENT_N); }
    for (var i = 0u; i < ROWS; i++) {
      let row = loadLeft(left + i * FRAGMENT_M * LEFT_STRIDE + step);
      for (var j = 0u; j < COLS; j++) {
        (*sums)[i * COLS + j] = multiplyAdd(row, columns[j], (*sums)[i * COLS + j]);
      }
    }
  }
}

// Hands the sums to storeFour. Only a whole subgroup can write a fragment, and only to where it is a plain matrix: so one
// fragment of each subgroup at a time goes through shared memory, and every thread takes some fours of these.
fn storeSums(corner: Corner, subgroup: u32, thread: u32, sums: ptr<function, Sums>) {
  for (var at = 0u; at < ROWS * COLS; at++) {
    storeSum(subgroup * FRAGMENT, (*sums)[at]);
    workgroupBarrier();
    for (var f = thread; f < DOWN * ACROSS * FRAGMENT / 4; f += WORKGROUP) {
      let owner = f / (FRAGMENT / 4);
      let row = (owner / ACROSS * ROWS + at / COLS) * FRAGMENT_M + f % (FRAGMENT / 4) / (FRAGMENT_N / 4);
      let column = (owner % ACROSS * COLS + at % COLS) * FRAGMENT_N + 4 * (f % (FRAGMENT_N / 4));
      storeFour(corner, row, column, vec4f(results[4 * f], results[4 * f + 1], results[4 * f + 2], results[4 * f + 3]));
    }
    workgroupBarrier();
  }
}
