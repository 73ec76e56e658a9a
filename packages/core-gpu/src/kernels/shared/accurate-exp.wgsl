// e^x to 2 ulp. x = n ln 2 + r with |r| <= ln(2)/2: ln 2 is subtracted in two pieces, the first of which is exact
// (Cody and Waite), e^r is the polynomial of Cephes' expf, and 2^n goes straight into the exponent bits.
// Below -87.33 the result would be subnormal and is 0; NaN stays NaN, which clamp and max need not do. WGSL's own exp
// may be wrong by 3 + 2|x| ulp.
fn accurateExp(x: f32) -> f32 {
  let a = select(select(x, 88.0, x > 88.0), -87.33, x < -87.33);
  let n = floor(a * 1.44269504 + 0.5);
  let r = (a - n * 0.693359375) + n * 2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let power = bitcast<f32>(u32(i32(n) + 127) << 23u);
  return select((p * r * r + r + 1.0) * power, 0.0, x < -87.33);
}
