// What a numerically safe softmax needs of each row: its largest element, and the sum over all other elements of
// e^(x - rowMax), called `sumOfOthers`. The whole sum is 1 + sumOfOthers; kept apart, a tiny sumOfOthers is not rounded away.
//
//   x        (rows, classes), here the xCount floats from element xFirst on
//   rowMax  (rows), here rowCount floats from row rowFirst on
//   sumOfOthers     as rowMax
//   threads  LANES for each row, ROWS rows for each workgroup
//
//            row   x x x x x x x x x x       LANES 4: lane 0 takes 0 4 8, lane 1 takes 1 5 9, ..
//            lane  0 1 2 3 0 1 2 3 0 1       then lanes join pairwise in shared memory
//
//   shared   8 * LANES * ROWS bytes
//   needs    LANES a power of two, ROWS; SPLIT when x comes in several binding slices: then rowMax and sumOfOthers hold what the
//            slices before this one gave, except when `isFirst` is 1
//   cost     about 15 FLOP, 4 bytes per element

struct Params {
  rowFirst: u32,
  rowCount: u32,
  xFirst: u32,
  xCount: u32,
  classes: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> rowMax: array<f32>;
@group(0) @binding(3) var<storage, read_write> sumOfOthers: array<f32>;

struct Statistics {
  rowMax: f32,
  sumOfOthers: f32,
}

// No elements: the whole sum 1 + sumOfOthers is 0.
const EMPTY = Statistics(-3.40282346e38, -1.0);

var<workgroup> partial: array<Statistics, LANES * ROWS>;

// #include "../shared/accurate-exp.wgsl"

// The statistics of two sets of elements taken together: the sum of the set with the smaller maximum shrinks.
fn join(a: Statistics, b: Statistics) -> Statistics {
  let shrink = accurateExp(-abs(a.rowMax - b.rowMax));
  let first = a.sumOfOthers + (1.0 + b.sumOfOthers) * shrink;
  let second = b.sumOfOthers + (1.0 + a.sumOfOthers) * shrink;
  return Statistics(max(a.rowMax, b.rowMax), select(second, first, a.rowMax >= b.rowMax));
}

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % LANES;
  let i = (wid.y * nwg.x + wid.x) * ROWS + lid / LANES;
  let row = params.rowFirst + i;
  // The part of the row that lies in this binding slice; empty for threads past the last row.
  let begin = max(row * params.classes, params.xFirst);
  let end = select(0u, min((row + 1u) * params.classes, params.xFirst + params.xCount), i < params.rowCount);

  var state = EMPTY;
  for (var j = begin + lane; j < end; j += LANES) {
    state = join(state, Statistics(f32(x[j - params.xFirst]), 0.0));
  }

  // Halve the lanes until one is left; with LANES 1 there is nothing to do.
  partial[lid] = state;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lid] = join(partial[lid], partial[lid + half]); }
  }
  if (lane == 0u && i < params.rowCount) {
    var total = partial[lid];
    if (SPLIT && params.isFirst == 0u) { total = join(Statistics(rowMax[i], sumOfOthers[i]), total); }
    rowMax[i] = total.rowMax;
    sumOfOthers[i] = total.sumOfOthers;
  }
}
