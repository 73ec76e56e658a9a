// y = e^x, log(x), |x|, sqrt(x) or 1 / x, element by element.
//
//   x, y    count floats
//   thread  four elements as one vector; a line of workgroups folded over x and y
//   cost    1 FLOP (abs) to about 25 (log), 8 bytes per element
//   needs   WORKGROUP; KIND 0 exp, 1 log, 2 abs, 3 sqrt, 4 reciprocal

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X4>;
@group(0) @binding(2) var<storage, read_write> y: array<Y4>;

// #include "../shared/accurate-exp.wgsl"
// #include "../shared/accurate-log.wgsl"
// #include "../shared/store-vec4.wgsl"

// Where accurateExp stops at e^88, the result is infinite.
fn wideExp(x: f32) -> f32 {
  return select(accurateExp(x), accurateExp(0.5 * x) * accurateExp(0.5 * x), x > 88.0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let v = vec4f(x[i]);
  if (KIND == 0) {
    store(i, vec4f(wideExp(v.x), wideExp(v.y), wideExp(v.z), wideExp(v.w)));
  } else if (KIND == 1) {
    store(i, vec4f(accurateLog(v.x), accurateLog(v.y), accurateLog(v.z), accurateLog(v.w)));
  } else if (KIND == 2) {
    store(i, abs(v));
  } else if (KIND == 3) {
    store(i, sqrt(v));
  } else {
    store(i, 1.0 / v);
  }
}
