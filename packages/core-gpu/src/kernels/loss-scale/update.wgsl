// The loss scale of the next step: half of it after a step with a gradient that was not finite, twice as much after
// growthSteps good ones in a row, and never outside of smallest to largest.
//
//   state      [scale, good steps since it changed, steps skipped in all,
//              steps skipped in a row that had the smallest scale], all floats
//   nonFinite  one number, not 0 after a step that was no good; becomes 0
//   thread     one does it all
//   needs      nothing

struct Params {
  growthSteps: f32,
  smallest: f32,
  largest: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> nonFinite: array<u32>;

@compute @workgroup_size(1)
fn main() {
  let scale = state[0];
  let steps = state[1] + 1;
  if (nonFinite[0] != 0) {
    state[0] = max(scale / 2, params.smallest);
    state[1] = 0;
    state[2] = state[2] + 1;
    state[3] = select(0, state[3] + 1, scale <= params.smallest);
  } else {
    let grows = steps >= params.growthSteps;
    state[0] = select(scale, min(scale * 2, params.largest), grows);
    state[1] = select(steps, 0, grows);
    state[3] = 0;
  }
  nonFinite[0] = 0;
}
