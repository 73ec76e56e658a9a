// log(x) to 2 ulp: x = 2^k m with m between sqrt(1/2) and sqrt(2), log m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ..) with
// s = (m - 1) / (m + 1), |s| < 0.172. Near 1 nothing cancels: k is 0 and m - 1 exact. k ln 2 is added in two pieces, the
// first of which is exact. WGSL's own log near 1 is only good to 2^-21 absolutely.
// log(0) is -infinity, that of a negative number NaN; infinity and NaN stay. Their bits are made from those of x, since
// WGSL allows no such constants.
fn accurateLog(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return bitcast<f32>((bits & 0x7fffffffu) | 0xff800000u); }
  if (bits > 0x7f800000u) { return bitcast<f32>(bits | 0x7fc00000u); } // negative or NaN
  if (bits == 0x7f800000u) { return x; }
  let tiny = bits < 0x00800000u; // subnormal: brought up by 2^24
  let scaled = bitcast<u32>(select(x, x * 16777216.0, tiny));
  if (scaled == 0u) { return bitcast<f32>(scaled | 0xff800000u); } // where the adapter takes it for 0
  let half = (scaled & 0x007fffffu) > 0x003504f3u; // of 2 m: m is more than sqrt(2)
  let m = bitcast<f32>((scaled & 0x007fffffu) | select(0x3f800000u, 0x3f000000u, half));
  let k = f32(i32(scaled >> 23u) - select(127, 126, half) - select(0, 24, tiny));
  let f = m - 1.0;
  let s = f / (2.0 + f);
  let q = s * s;
  let series = q * (2.0 / 3.0 + q * (2.0 / 5.0 + q * (2.0 / 7.0 + q * (2.0 / 9.0))));
  // 2 s = f - f s, exactly where it matters: f has no rounding error.
  return k * 0.693359375 + (f - s * (f - series) + k * -2.12194440e-4);
}
