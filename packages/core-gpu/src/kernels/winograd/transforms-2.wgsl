// F(2, 3): two outputs of a filter of three taps from a window of four inputs, with four multiplications.
//
//   outputs = A^T [ (G taps) * (B^T window) ]        points 0, 1, -1 and infinity; derived in README.md

const OUTPUT = 2u;
const SIZE = 4u;

alias Window = array<vec4f, SIZE>;
alias Outputs = array<vec4f, OUTPUT>;

// B^T d
fn inputTransform(d: Window) -> Window {
  return Window(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]);
}

// G g
fn kernelTransform(g: array<vec4f, 3>) -> Window {
  let outer = g[0] + g[2];
  return Window(g[0], (outer + g[1]) / 2, (outer - g[1]) / 2, g[2]);
}

// A^T m
fn outputTransform(m: Window) -> Outputs {
  return Outputs(m[0] + m[1] + m[2], m[1] - m[2] + m[3]);
}
