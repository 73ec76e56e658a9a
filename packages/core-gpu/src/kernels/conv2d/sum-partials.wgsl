// Second pass of a split sum: adds the partial sums of each weight, always in the same order.
//
//   partials  (splits, count) dense     dkernel  count floats from kernelOffset on
//   thread    one weight
//   cost      splits additions for each weight
//   needs     WORKGROUP, ACCUMULATE (add to what dkernel holds)

struct Params {
  count: u32,
  splits: u32,
  kernelOffset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> dkernel: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.count) { return; }
  var sum = 0.0;
  for (var s = 0u; s < params.splits; s++) {
    sum += partials[s * params.count + t];
  }
  let at = params.kernelOffset + t;
  if (ACCUMULATE) { sum += dkernel[at]; }
  dkernel[at] = sum;
}
