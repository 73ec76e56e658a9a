// Writes vector i of `y: array<Y4>`, which holds params.count numbers. What lies past the end of y stays as it is.
// Outputs that are called otherwise (dx, g, total ..) have such a function of their own: WGSL as every browser has it
// takes no storage buffer as an argument.
fn store(i: u32, value: vec4f) {
  if (4u * i + 4u <= params.count) {
    y[i] = Y4(value);
  } else {
    let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
    y[i] = Y4(select(vec4f(y[i]), value, inside));
  }
}
