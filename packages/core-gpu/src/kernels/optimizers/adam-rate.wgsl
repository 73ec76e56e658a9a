// Adam's learning rate with both bias corrections, of a step whose number only the GPU knows, since steps before it may
// have been skipped.
//
//   state   the loss scale's: [.., .., steps skipped in all, ..], floats
//   rate    one number, written
//   thread  one does it all
//   needs   nothing

struct Params {
  learningRate: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  // counts from 1, with those that were skipped
  step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> rate: array<f32>;

// q(t) = 1 - beta^t of q(1), by q(s + t) = q(s) + q(t) (1 - q(s)) for each binary digit of t. There are only sums of
// positive numbers in it, so no digits are lost where q is small, as they would be in 1 - pow(beta, t).
fn correction(oneMinusBeta: f32, step: u32) -> f32 {
  var sum = 0.0;
  var power = oneMinusBeta;
  for (var rest = step; rest > 0; rest >>= 1) {
    if ((rest & 1) != 0) { sum += power * (1 - sum); }
    power += power * (1 - power);
  }
  return sum;
}

@compute @workgroup_size(1)
fn main() {
  let step = params.step - u32(state[2]);
  rate[0] = params.learningRate * sqrt(correction(params.oneMinusBeta2, step)) / correction(params.oneMinusBeta1, step);
}
