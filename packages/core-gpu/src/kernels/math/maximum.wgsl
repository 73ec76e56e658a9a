// y = the larger of a and b, element by element; NaN where one of them is.
//
//   a, b, y  count floats
//   thread   four elements as one vector; a line of workgroups folded over x and y
//   cost     1 FLOP, 12 bytes per element
//   needs    WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Stored4>;
@group(0) @binding(2) var<storage, read> b: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored4>;

alias Y4 = Stored4; // of y
// #include "../shared/store-vec4.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let u = vec4f(a[i]);
  let v = vec4f(b[i]);
  // WGSL's max may lose NaN. A NaN of a is not smaller; one of b is told by its bits, since v != v may be taken for false.
  let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  store(i, select(u, v, (u < v) | isNan));
}
