// What is done with an output once it is transformed: four channels of a pixel, which lie `at` vectors from the start of y
// and of residual.
//
//   needs   HAS_BIAS, ADD_RESIDUAL, RELU

// The bias of the channels from 4 channelVector on.
fn biasOf(channelVector: u32) -> vec4f {
  var four = vec4f();
  if (HAS_BIAS) { four = vec4f(bias[channelVector]); }
  return four;
}

fn store(at: u32, output: vec4f) {
  var value = output;
  if (ADD_RESIDUAL) { value += vec4f(residual[at]); }
  if (RELU) { value = select(value, vec4f(), value < vec4f()); } // lets NaN through, unlike max
  y[at] = Y4(value);
}
