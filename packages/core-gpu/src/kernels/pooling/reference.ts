import type { PoolShape } from './shape.ts';

/** Calls `visit(y index, window's x indices in row-major order, real pixels only)` for every output element. */
function eachWindow(shape: PoolShape, visit: (y: number, window: number[]) => void): void {
  const { n, h, w, c, poolH, poolW, strideH, strideW, oh, ow, padTop, padLeft } = shape;
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let ch = 0; ch < c; ch++) {
          const window: number[] = [];
          for (let ky = 0; ky < poolH; ky++)
            for (let kx = 0; kx < poolW; kx++) {
              const iy = oy * strideH + ky - padTop;
              const ix = ox * strideW + kx - padLeft;
              if (iy >= 0 && iy < h && ix >= 0 && ix < w) window.push(((b * h + iy) * w + ix) * c + ch);
            }
          visit(((b * oh + oy) * ow + ox) * c + ch, window);
        }
}

/** Max pooling in float64. */
export function maxPool(shape: PoolShape, x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(shape.n * shape.oh * shape.ow * shape.c);
  eachWindow(shape, (out, window) => (y[out] = Math.max(...window.map((i) => x[i] ?? NaN))));
  return y;
}

/** Gradient of max pooling in float64: the first maximum of a window takes it. */
export function maxPoolGradient(shape: PoolShape, x: ArrayLike<number>, dy: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(shape.n * shape.h * shape.w * shape.c);
  eachWindow(shape, (out, window) => {
    const best = Math.max(...window.map((i) => x[i] ?? NaN));
    const winner = window.find((i) => x[i] === best) ?? -1;
    dx[winner] = (dx[winner] ?? NaN) + (dy[out] ?? NaN);
  });
  return dx;
}

/** Average pooling in float64; padding does not count. */
export function averagePool(shape: PoolShape, x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(shape.n * shape.oh * shape.ow * shape.c);
  eachWindow(shape, (out, window) => {
    y[out] = window.reduce((sum, i) => sum + (x[i] ?? NaN), 0) / window.length;
  });
  return y;
}

/** Gradient of average pooling in float64. */
export function averagePoolGradient(shape: PoolShape, dy: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(shape.n * shape.h * shape.w * shape.c);
  eachWindow(shape, (out, window) => {
    for (const i of window) dx[i] = (dx[i] ?? NaN) + (dy[out] ?? NaN) / window.length;
  });
  return dx;
}
