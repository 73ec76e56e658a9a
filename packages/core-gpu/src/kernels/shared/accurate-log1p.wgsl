// log(1 + u) for u >= 0 to 2 ulp, however small u is. 1 + u = 2^k (1 + f) with f in [0, 1), and
// log(1 + f) = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ..) with s = f / (2 + f) <= 1/3.
// WGSL's own log near 1 is only good to 2^-21 absolutely, which is nothing for a loss of 1e-8.
fn accurateLog1p(u: f32) -> f32 {
  let bits = bitcast<u32>(1.0 + u);
  let large = u >= 1.0;
  let f = select(u, bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u) - 1.0, large);
  let k = select(0.0, f32(bits >> 23u) - 127.0, large);
  let s = f / (2.0 + f);
  let q = s * s;
  let series = 1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q / 15.0)))));
  return k * 0.69314718 + (2.0 * s + 2.0 * s * q * series);
}
