// The class of each row: the position of its largest element, the first one where several are equal.
//
//   x         (rows, classes), here the xCount floats from element xFirst on
//   best      (rows), here count floats from row rowFirst on: the largest element so far
//   position  as best, u32
//   thread    one row
//   needs     WORKGROUP; SPLIT when x comes in several binding slices: then best and position hold what those before this
//             one gave, except when `isFirst` is 1
//   cost      one comparison, 4 bytes per element

struct Params {
  count: u32,
  rowFirst: u32,
  xFirst: u32,
  xCount: u32,
  classes: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> best: array<f32>;
@group(0) @binding(3) var<storage, read_write> position: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (i >= params.count) { return; }
  let start = (params.rowFirst + i) * params.classes;
  let begin = max(start, params.xFirst);
  let end = min(start + params.classes, params.xFirst + params.xCount);
  var top = -3.40282346e38;
  var at = 0u;
  if (SPLIT && params.isFirst == 0u) {
    top = best[i];
    at = position[i];
  }
  for (var j = begin; j < end; j++) {
    let v = x[j - params.xFirst];
    if (v > top) {
      top = v;
      at = j - start;
    }
  }
  best[i] = top;
  position[i] = at;
}
