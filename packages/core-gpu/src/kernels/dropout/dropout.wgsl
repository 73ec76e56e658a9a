// y = keep ? x / (1 - rate) : 0, where `keep` depends on nothing but the seed and the element's number in the stream.
//
// Random words come from Philox4x32-10: a counter and a key go through ten rounds of multiply and xor, and out come
// four random words; there is no state. (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3,
// SC 2011.) Word e % 4 of counter e / 4 belongs to element e of the stream.
//
//   x, y    count floats; x[i] is element 4 * counter + skip + i of the stream
//   thread  one counter, so up to four elements
//
//           stream    | 4 5 6 7 | 8 9 10 11 | ..
//           x, skip 2       0 1   2 3  4  5
//           thread    ----0---- -----1-----
//
//   needs   WORKGROUP; skip < 4; an element is kept when its word is at least `threshold` = rate * 2^32
//   cost    about 60 integer operations per element, 8 bytes per element

struct Params {
  count: u32,
  skip: u32,
  counterLow: u32,
  counterHigh: u32,
  keyLow: u32,
  keyHigh: u32,
  threshold: u32,
  scale: f32,
  threads: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

// The 64-bit product of two words: (low, high).
fn multiply(a: u32, b: u32) -> vec2u {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (middle & 0xffffu);
  return vec2u(a * b, a1 * b1 + (middle >> 16u) + (carry >> 16u));
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0; round < 10; round++) {
    let p = multiply(0xd2511f53u, c.x);
    let q = multiply(0xcd9e8d57u, c.z);
    c = vec4u(q.y ^ c.y ^ k.x, q.x, p.y ^ c.w ^ k.y, p.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_index) lid: u32) {
  let t = (wid.y * nwg.x + wid.x) * WORKGROUP + lid;
  if (t >= params.threads) { return; }
  let low = params.counterLow + t;
  let high = params.counterHigh + select(0u, 1u, low < t);
  let words = philox(vec4u(low, high, 0u, 0u), vec2u(params.keyLow, params.keyHigh));
  for (var lane = 0u; lane < 4u; lane++) {
    // Before the first element this wraps round to a huge number.
    let i = 4u * t + lane - params.skip;
    if (i < params.count) {
      y[i] = Y(select(0.0, f32(x[i]) * params.scale, words[lane] >= params.threshold));
    }
  }
}
