// The loss scale of the next step: half of it after a step with a gradient that was not finite, twice as much after
// growthSteps good ones in a row.
//
//   state      [scale, good steps since it changed], both floats
//   nonFinite  one number, not 0 after a step that was no good; becomes 0
//   thread     one does it all
//   needs      nothing

struct Params {
  growthSteps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> nonFinite: array<u32>;

@compute @workgroup_size(1)
fn main() {
  let steps = state[1] + 1;
  if (nonFinite[0] != 0) {
    state[0] = state[0] / 2;
    state[1] = 0;
  } else if (steps >= params.growthSteps) {
    state[0] = state[0] * 2;
    state[1] = 0;
  } else {
    state[1] = steps;
  }
  nonFinite[0] = 0;
}
