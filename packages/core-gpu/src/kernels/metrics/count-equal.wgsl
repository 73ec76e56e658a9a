// correct += number of rows whose predicted class is the true one.
//
//   predicted, actual  count words
//   correct            one float that goes on counting over calls, exact up to 2^24
//   threads            one workgroup of LANES; lane k takes rows k, k + LANES, ..; lanes join pairwise
//   shared             4 * LANES bytes
//   needs              LANES a power of two
//   cost               8 bytes per row

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> predicted: array<u32>;
@group(0) @binding(2) var<storage, read> actual: array<u32>;
@group(0) @binding(3) var<storage, read_write> correct: array<f32>;

var<workgroup> partial: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0u;
  for (var i = lane; i < params.count; i += LANES) {
    if (predicted[i] == actual[i]) { sum += 1u; }
  }
  partial[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  if (lane == 0u) { correct[0] += f32(partial[0]); }
}
