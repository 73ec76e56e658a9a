// F(4, 3): four outputs of a filter of three taps from an input tile of six inputs, with six multiplications.
//
//   outputs = A^T [ (G taps) * (B^T tile) ]        points 0, 1, -1, 2, -2 and infinity; derived in README.md

const OUTPUT_SIZE = 4u;
const TILE_SIZE = 6u;

alias Tile = array<vec4f, TILE_SIZE>;
alias Outputs = array<vec4f, OUTPUT_SIZE>;

// B^T d
fn inputTransform(d: Tile) -> Tile {
  let even = d[4] - 4 * d[2];
  let odd = d[3] - 4 * d[1];
  let evenHalf = d[4] - d[2];
  let oddHalf = 2 * (d[3] - d[1]);
  return Tile(
    4 * d[0] - 5 * d[2] + d[4],
    even + odd,
    even - odd,
    evenHalf + oddHalf,
    evenHalf - oddHalf,
    4 * d[1] - 5 * d[3] + d[5],
  );
}

// G g
fn kernelTransform(g: array<vec4f, 3>) -> Tile {
  let outer = g[0] + g[2];
  let wide = g[0] + 4 * g[2];
  return Tile(
    g[0] / 4,
    -(outer + g[1]) / 6,
    -(outer - g[1]) / 6,
    (wide + 2 * g[1]) / 24,
    (wide - 2 * g[1]) / 24,
    g[2],
  );
}

// A^T m
fn outputTransform(m: Tile) -> Outputs {
  let nearSum = m[1] + m[2];
  let nearDifference = m[1] - m[2];
  let farSum = m[3] + m[4];
  let farDifference = m[3] - m[4];
  return Outputs(
    m[0] + nearSum + farSum,
    nearDifference + 2 * farDifference,
    nearSum + 4 * farSum,
    nearDifference + 8 * farDifference + m[5],
  );
}
