// Stores what a thread has made of its tile and four channels: in the order of the threads.
fn storePosition(position: u32, t: u32, value: vec4f) {
  if (t < params.positionStride) { transformedInput[position * params.positionStride + t] = value; }
}
