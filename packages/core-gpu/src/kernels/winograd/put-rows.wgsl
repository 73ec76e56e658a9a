// Stores what a thread has made of its tile and four channels: in the order of the threads.
fn put(position: u32, t: u32, value: vec4f) {
  if (t < params.plane) { transformed[position * params.plane + t] = value; }
}
