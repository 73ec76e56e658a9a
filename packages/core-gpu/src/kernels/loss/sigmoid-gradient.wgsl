// dlogits = scale * (sigmoid(logits) - labels), element by element.
//
// With e = e^-|z|, sigmoid is 1 / (1 + e) for z >= 0 and e / (1 + e) below; the difference is taken over the common
// denominator, so that a sure and right prediction keeps its tiny gradient instead of rounding to 0.
//
//   logits, labels, dlogits  count floats
//   thread                   four elements as one vector
//   needs                    WORKGROUP
//   cost                     about 20 FLOP, 12 bytes per element

struct Params {
  count: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> labels: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<vec4f>;

// #include "../shared/accurate-exp.wgsl"

fn difference(z: f32, label: f32) -> f32 {
  let e = accurateExp(-abs(z));
  let numerator = select(e, 1.0, z >= 0.0);
  return ((numerator - label) - label * e) / (1.0 + e);
}

// Writes vector i. What lies past the end of dlogits stays as it is.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    dlogits[i] = value;
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    dlogits[i] = select(dlogits[i], value, inside);
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (4u * i >= params.count) { return; }
  let z = logits[i];
  let t = labels[i];
  let d = vec4f(difference(z.x, t.x), difference(z.y, t.y), difference(z.z, t.z), difference(z.w, t.w));
  store(i, params.scale * d);
}
