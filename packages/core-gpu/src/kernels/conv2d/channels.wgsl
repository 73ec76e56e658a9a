// Copies pixels from one number of channels to another: wider ones get zeros, narrower ones lose the rest.
//
//   source  (pixels, sourceChannels)     result  (pixels, channels), both dense from their offsets on
//   thread  one element of result
//   cost    one load and one store for each element
//   needs   WORKGROUP, HAS_BIAS (bias[channel] is added), RELU

struct Params {
  pixels: u32,
  channels: u32,
  sourceChannels: u32,
  sourceOffset: u32,
  resultOffset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.pixels * params.channels) { return; }
  let channel = t % params.channels;
  let pixel = t / params.channels;
  let exists = channel < params.sourceChannels;
  let at = params.sourceOffset + pixel * params.sourceChannels + channel;
  var value = select(0.0, source[select(0, at, exists)], exists);
  if (HAS_BIAS) { value += bias[channel]; }
  if (RELU && value < 0.0) { value = 0.0; } // lets NaN through, unlike max
  result[params.resultOffset + t] = value;
}
