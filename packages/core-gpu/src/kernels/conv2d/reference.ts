import type { Conv2dShape } from './shape.ts';

/** Calls `visit` with the flat indices of every product x * kernel that is summed into some y. */
function forEachProduct(s: Conv2dShape, visit: (x: number, kernel: number, y: number) => void): void {
  for (let n = 0; n < s.n; n++)
    for (let oy = 0; oy < s.oh; oy++)
      for (let ox = 0; ox < s.ow; ox++)
        for (let ky = 0; ky < s.kh; ky++)
          for (let kx = 0; kx < s.kw; kx++) {
            const iy = oy * s.strideH - s.padTop + ky * s.dilationH;
            const ix = ox * s.strideW - s.padLeft + kx * s.dilationW;
            if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
            const x = ((n * s.h + iy) * s.w + ix) * s.ci;
            const kernel = (ky * s.kw + kx) * s.ci * s.co;
            const y = ((n * s.oh + oy) * s.ow + ox) * s.co;
            for (let c = 0; c < s.ci; c++)
              for (let o = 0; o < s.co; o++) visit(x + c, kernel + c * s.co + o, y + o);
          }
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? NaN;

/** y = conv(x, kernel) + bias, then relu. */
export function conv2dForward(
  s: Conv2dShape,
  x: ArrayLike<number>,
  kernel: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  relu: boolean,
): Float64Array {
  const y = new Float64Array(s.n * s.oh * s.ow * s.co);
  forEachProduct(s, (i, j, k) => {
    y[k] = at(y, k) + at(x, i) * at(kernel, j);
  });
  return y.map((value, k) => {
    const sum = value + (bias ? at(bias, k % s.co) : 0);
    return relu ? Math.max(sum, 0) : sum;
  });
}

/** The gradient with respect to x: each product hands dy * kernel back to its x. */
export function conv2dInputGradient(
  s: Conv2dShape,
  dy: ArrayLike<number>,
  kernel: ArrayLike<number>,
): Float64Array {
  const dx = new Float64Array(s.n * s.h * s.w * s.ci);
  forEachProduct(s, (i, j, k) => {
    dx[i] = at(dx, i) + at(dy, k) * at(kernel, j);
  });
  return dx;
}

/** The gradient with respect to the kernel: each product hands dy * x back to its weight. */
export function conv2dFilterGradient(
  s: Conv2dShape,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
): Float64Array {
  const dkernel = new Float64Array(s.kh * s.kw * s.ci * s.co);
  forEachProduct(s, (i, j, k) => {
    dkernel[j] = at(dkernel, j) + at(dy, k) * at(x, i);
  });
  return dkernel;
}

/** The input row or column of an output's tap, or -1 in the padding. */
function tap(out: number, k: number, stride: number, dilation: number, before: number, size: number): number {
  const place = out * stride - before + k * dilation;
  return place < size ? place : -1;
}

/** One element of conv(x, kernel), by its index in y: for shapes whose whole result would take too long here. */
export function conv2dForwardAt(
  s: Conv2dShape,
  x: ArrayLike<number>,
  kernel: ArrayLike<number>,
  index: number,
): number {
  const o = index % s.co;
  const pixel = Math.floor(index / s.co);
  const [ox, oy, n] = [pixel % s.ow, Math.floor(pixel / s.ow) % s.oh, Math.floor(pixel / (s.oh * s.ow))];
  let sum = 0;
  for (let ky = 0; ky < s.kh; ky++)
    for (let kx = 0; kx < s.kw; kx++) {
      const iy = tap(oy, ky, s.strideH, s.dilationH, s.padTop, s.h);
      const ix = tap(ox, kx, s.strideW, s.dilationW, s.padLeft, s.w);
      if (iy < 0 || ix < 0) continue;
      for (let c = 0; c < s.ci; c++) {
        const weight = at(kernel, ((ky * s.kw + kx) * s.ci + c) * s.co + o);
        sum += at(x, ((n * s.h + iy) * s.w + ix) * s.ci + c) * weight;
      }
    }
  return sum;
}

/** One element of the gradient with respect to x, by its index in dx. */
export function conv2dInputGradientAt(
  s: Conv2dShape,
  dy: ArrayLike<number>,
  kernel: ArrayLike<number>,
  index: number,
): number {
  const c = index % s.ci;
  const pixel = Math.floor(index / s.ci);
  const [ix, iy, n] = [pixel % s.w, Math.floor(pixel / s.w) % s.h, Math.floor(pixel / (s.h * s.w))];
  let sum = 0;
  for (let ky = 0; ky < s.kh; ky++)
    for (let kx = 0; kx < s.kw; kx++) {
      const oy = (iy + s.padTop - ky * s.dilationH) / s.strideH;
      const ox = (ix + s.padLeft - kx * s.dilationW) / s.strideW;
      if (!Number.isInteger(oy) || !Number.isInteger(ox)) continue;
      if (oy < 0 || oy >= s.oh || ox < 0 || ox >= s.ow) continue;
      for (let o = 0; o < s.co; o++) {
        const weight = at(kernel, ((ky * s.kw + kx) * s.ci + c) * s.co + o);
        sum += at(dy, ((n * s.oh + oy) * s.ow + ox) * s.co + o) * weight;
      }
    }
  return sum;
}

/** One element of the gradient with respect to the kernel, by its index in dkernel. */
export function conv2dFilterGradientAt(
  s: Conv2dShape,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  index: number,
): number {
  const o = index % s.co;
  const c = Math.floor(index / s.co) % s.ci;
  const place = Math.floor(index / (s.co * s.ci));
  const [kx, ky] = [place % s.kw, Math.floor(place / s.kw)];
  let sum = 0;
  for (let n = 0; n < s.n; n++)
    for (let oy = 0; oy < s.oh; oy++)
      for (let ox = 0; ox < s.ow; ox++) {
        const iy = tap(oy, ky, s.strideH, s.dilationH, s.padTop, s.h);
        const ix = tap(ox, kx, s.strideW, s.dilationW, s.padLeft, s.w);
        if (iy < 0 || ix < 0) continue;
        sum +=
          at(x, ((n * s.h + iy) * s.w + ix) * s.ci + c) * at(dy, ((n * s.oh + oy) * s.ow + ox) * s.co + o);
      }
  return sum;
}
