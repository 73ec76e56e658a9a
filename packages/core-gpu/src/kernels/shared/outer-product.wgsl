// A tile of sums as a sum of outer products: what ../matmul/outer-product.wgsl and ../conv2d/outer-product-forward.wgsl have in common.
//
// A subgroup of 8 lanes holds ROWS x 32 COLS sums, a lane four neighbouring columns of every row (with COLS 2 the sums of
// its other four columns stand behind those of the first four). Each row of the left factor is loaded by one lane, four
// rows a lane and two steps of the summed index at a time; subgroupShuffle sends it to the others.
//
//   needs     ROWS, COLS; subgroups of exactly 8 lanes

enable subgroups;

alias Sums = array<vec4f, ROWS * COLS>;

// Adds the products of four rows, those that one lane has loaded, with this lane's columns.
fn addFour(sums: ptr<function, Sums>, first: u32, columns: mat2x4f, rows: mat4x2f, lane: u32) {
  (*sums)[first] += columns * subgroupShuffle(rows[0], lane);
  (*sums)[first + 1] += columns * subgroupShuffle(rows[1], lane);
  (*sums)[first + 2] += columns * subgroupShuffle(rows[2], lane);
  (*sums)[first + 3] += columns * subgroupShuffle(rows[3], lane);
}

// The same for `count` rows, at most 32: those of all lanes. Written out, since a loop would index the sums by a
// variable, which is done lane by lane.
fn addRows(sums: ptr<function, Sums>, first: u32, count: u32, columns: mat2x4f, rows: mat4x2f) {
  addFour(sums, first, columns, rows, 0u);
  if (count > 4) { addFour(sums, first + 4, columns, rows, 1u); }
  if (count > 8) { addFour(sums, first + 8, columns, rows, 2u); }
  if (count > 12) { addFour(sums, first + 12, columns, rows, 3u); }
  if (count > 16) { addFour(sums, first + 16, columns, rows, 4u); }
  if (count > 20) { addFour(sums, first + 20, columns, rows, 5u); }
  if (count > 24) { addFour(sums, first + 24, columns, rows, 6u); }
  if (count > 28) { addFour(sums, first + 28, columns, rows, 7u); }
}
