// F(4, 7): four outputs of a filter of seven taps from an input tile of ten inputs, with ten multiplications in place of 28.
//
//   outputs = A^T [ (G taps) * (B^T tile) ]        points 0, 1, -1, 2, -2, 1/2, -1/2, 3/4, -3/4 and infinity
//
// B^T evaluates, for a point p, the product of (x - q) over all other finite points q. The points come in pairs, so for
// p and -p that is x (x + p) Q(x^2) and x (x - p) Q(x^2), with Q(u) the product of (u - q^2) over the other pairs: the even
// and the odd powers are summed once for both. All its numbers are exact in float32.

const OUTPUT_SIZE = 4u;
const TILE_SIZE = 10u;
const TAPS = 7u;

alias Tile = array<vec4f, TILE_SIZE>;
alias Outputs = array<vec4f, OUTPUT_SIZE>;
alias Taps = array<vec4f, TAPS>;

// The values at p and -p: Q's coefficients below u^3 are given, that of u^3 is 1.
fn atPair(d: Tile, p: f32, q: vec3f) -> array<vec4f, 2> {
  let even = q.x * d[2] + q.y * d[4] + q.z * d[6] + d[8];
  let odd = p * (q.x * d[1] + q.y * d[3] + q.z * d[5] + d[7]);
  return array<vec4f, 2>(even + odd, even - odd);
}

// B^T d
fn inputTransform(d: Tile) -> Tile {
  let one = atPair(d, 1, vec3f(-0.5625, 3.390625, -4.8125));
  let two = atPair(d, 2, vec3f(-0.140625, 0.953125, -1.8125));
  let half = atPair(d, 0.5, vec3f(-2.25, 6.8125, -5.5625));
  let most = atPair(d, 0.75, vec3f(-1, 5.25, -5.25));
  return Tile(
    0.5625 * d[0] - 3.953125 * d[2] + 8.203125 * d[4] - 5.8125 * d[6] + d[8],
    one[0],
    one[1],
    two[0],
    two[1],
    half[0],
    half[1],
    most[0],
    most[1],
    0.5625 * d[1] - 3.953125 * d[3] + 8.203125 * d[5] - 5.8125 * d[7] + d[9],
  );
}

// The polynomial of the taps at p and -p, divided by the product of the distances to the other points.
fn tapsAt(g: Taps, p: f32, distances: f32) -> array<vec4f, 2> {
  let u = p * p;
  let even = g[0] + u * (g[2] + u * (g[4] + u * g[6]));
  let odd = p * (g[1] + u * (g[3] + u * g[5]));
  return array<vec4f, 2>((even + odd) / distances, (even - odd) / distances);
}

// G g
fn kernelTransform(g: Taps) -> Tile {
  let one = tapsAt(g, 1, -1.96875);
  let two = tapsAt(g, 2, 309.375);
  let half = tapsAt(g, 0.5, -0.439453125);
  let most = tapsAt(g, 0.75, 0.528717041015625);
  return Tile(
    g[0] / 0.5625,
    one[0],
    one[1],
    two[0],
    two[1],
    half[0],
    half[1],
    most[0],
    most[1],
    g[6],
  );
}

// A^T m
fn outputTransform(m: Tile) -> Outputs {
  let oneSum = m[1] + m[2];
  let oneDifference = m[1] - m[2];
  let twoSum = m[3] + m[4];
  let twoDifference = m[3] - m[4];
  let halfSum = m[5] + m[6];
  let halfDifference = m[5] - m[6];
  let mostSum = m[7] + m[8];
  let mostDifference = m[7] - m[8];
  return Outputs(
    m[0] + oneSum + twoSum + halfSum + mostSum,
    oneDifference + 2 * twoDifference + 0.5 * halfDifference + 0.75 * mostDifference,
    oneSum + 4 * twoSum + 0.25 * halfSum + 0.5625 * mostSum,
    oneDifference + 8 * twoDifference + 0.125 * halfDifference + 0.421875 * mostDifference + m[9],
  );
}
