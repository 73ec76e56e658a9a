// Copies pixels from one number of channels to another: wider ones get zeros, narrower ones lose the rest.
//
//   source  (pixels, sourceChannels) dense from sourceOffset on
//   result  (pixels, channels): pixel p starts at resultOffset + p * resultStridePixel; residual lies as result does
//   thread  one element of result
//   cost    one load and one store for each element
//   needs   WORKGROUP, HAS_BIAS (bias[channel] is added), ADD_RESIDUAL, RELU

struct Params {
  pixels: u32,
  channels: u32,
  sourceChannels: u32,
  sourceOffset: u32,
  resultOffset: u32,
  resultStridePixel: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<Source>;
@group(0) @binding(2) var<storage, read> bias: array<Bias>;
@group(0) @binding(3) var<storage, read> residual: array<Residual>;
@group(0) @binding(4) var<storage, read_write> result: array<Result>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.pixels * params.channels) { return; }
  let channel = t % params.channels;
  let pixel = t / params.channels;
  let exists = channel < params.sourceChannels;
  let at = params.sourceOffset + pixel * params.sourceChannels + channel;
  var value = select(0.0, f32(source[select(0, at, exists)]), exists);
  let resultAt = params.resultOffset + pixel * params.resultStridePixel + channel;
  if (HAS_BIAS) { value += f32(bias[channel]); }
  if (ADD_RESIDUAL) { value += f32(residual[resultAt]); }
  if (RELU && value < 0.0) { value = 0.0; } // lets NaN through, unlike max
  result[resultAt] = Result(value);
}
