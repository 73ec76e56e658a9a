// F(2, 3): two outputs of a filter of three taps from an input tile of four inputs, with four multiplications.
//
//   outputs = A^T [ (G taps) * (B^T tile) ]        points 0, 1, -1 and infinity; derived in README.md

const OUTPUT_SIZE = 2u;
const TILE_SIZE = 4u;

alias Tile = array<vec4f, TILE_SIZE>;
alias Outputs = array<vec4f, OUTPUT_SIZE>;

// B^T d
fn inputTransform(d: Tile) -> Tile {
  return Tile(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]);
}

// G g
fn kernelTransform(g: array<vec4f, 3>) -> Tile {
  let outer = g[0] + g[2];
  return Tile(g[0], (outer + g[1]) / 2, (outer - g[1]) / 2, g[2]);
}

// A^T m
fn outputTransform(m: Tile) -> Outputs {
  return Outputs(m[0] + m[1] + m[2], m[1] - m[2] + m[3]);
}
