// g = g / scale, in place: the gradient of a weight. Notes whether any element is infinite or not a number.
//
//   g          count floats
//   state      [scale, ..], see update.wgsl
//   nonFinite  one number, which becomes 1 where an element is not finite, and stays as it is where none is
//   thread     four elements as one vector; a line of workgroups folded over x and y
//   cost       1 FLOP and 8 bytes an element
//   needs      WORKGROUP

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;
@group(0) @binding(2) var<storage, read> state: array<f32>;
@group(0) @binding(3) var<storage, read_write> nonFinite: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4 * i >= params.count) { return; }
  let value = g[i];
  g[i] = value / state[0];
  // By the bits: compilers may take it that there are neither infinities nor NaN. All bits of the exponent are set in
  // both. What lies behind the last element does not count.
  let exponent = bitcast<vec4u>(value) & vec4u(0x7f800000);
  let inside = 4 * i + vec4u(0, 1, 2, 3) < vec4u(params.count);
  if (any((exponent == vec4u(0x7f800000)) & inside)) { atomicStore(&nonFinite[0], 1); }
}
