// F(3, 3): three outputs of a filter of three taps from an input tile of five inputs, with five multiplications.
//
//   outputs = A^T [ (G taps) * (B^T tile) ]        points 0, 1, -1, 2 and infinity; derived in README.md

const OUTPUT_SIZE = 3u;
const TILE_SIZE = 5u;

alias Tile = array<vec4f, TILE_SIZE>;
alias Outputs = array<vec4f, OUTPUT_SIZE>;

// B^T d
fn inputTransform(d: Tile) -> Tile {
  return Tile(
    2 * (d[0] - d[2]) + d[3] - d[1],
    d[3] - d[2] - 2 * d[1],
    2 * d[1] - 3 * d[2] + d[3],
    d[3] - d[1],
    2 * (d[1] - d[3]) + d[4] - d[2],
  );
}

// G g
fn kernelTransform(g: array<vec4f, 3>) -> Tile {
  let outer = g[0] + g[2];
  return Tile(
    g[0] / 2,
    -(outer + g[1]) / 2,
    -(outer - g[1]) / 6,
    (g[0] + 2 * g[1] + 4 * g[2]) / 6,
    g[2],
  );
}

// A^T m
fn outputTransform(m: Tile) -> Outputs {
  let sum = m[1] + m[2];
  return Outputs(
    m[0] + sum + m[3],
    m[1] - m[2] + 2 * m[3],
    sum + 4 * m[3] + m[4],
  );
}
