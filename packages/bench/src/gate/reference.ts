import { operands, outputSize } from '../inputs.ts';
import type { Convolution, ConvolutionTask } from '../protocol.ts';
import { sampleIndices } from '../sample.ts';

/** Multiplications that the check of one result may take. */
const BUDGET = 50e6;

/** Places in a result, and what is right there. */
export interface Expected {
  /** Which of the sampled values these are. */
  readonly places: Uint32Array;
  readonly values: Float64Array;
}

/**
 * The sampled values of a convolution or of one of its gradients in float64, by the definition; fewer of them, evenly
 * spread, where each is a long sum.
 */
export function expectedConvolution({ convolution: c, direction }: ConvolutionTask): Expected {
  const { oh, ow } = outputSize(c);
  const length = {
    forward: c.n * oh * ow * c.co,
    'input-gradient': c.n * c.h * c.w * c.ci,
    'filter-gradient': c.kh * c.kw * c.ci * c.co,
  }[direction];
  const terms = {
    forward: c.kh * c.kw * c.ci,
    'input-gradient': c.kh * c.kw * c.co,
    'filter-gradient': c.n * oh * ow,
  }[direction];
  const indices = sampleIndices(length);
  const step = Math.max(1, Math.ceil((indices.length * terms) / BUDGET));
  const places = Uint32Array.from({ length: Math.ceil(indices.length / step) }, (_, i) => i * step);
  const at = { forward, 'input-gradient': inputGradient, 'filter-gradient': filterGradient }[direction](c);
  return { places, values: Float64Array.from(places, (place) => at(indices[place] ?? 0)) };
}

/** Rows or columns before the picture. */
function before(n: number, k: number, s: number, out: number, padding: Convolution['padding']): number {
  return padding === 'valid' ? 0 : Math.max((out - 1) * s + k - n, 0) >> 1;
}

interface Geometry {
  readonly oh: number;
  readonly ow: number;
  readonly top: number;
  readonly left: number;
}

function geometry(c: Convolution): Geometry {
  const { oh, ow } = outputSize(c);
  return {
    oh,
    ow,
    top: before(c.h, c.kh, c.strides[0], oh, c.padding),
    left: before(c.w, c.kw, c.strides[1], ow, c.padding),
  };
}

/** y[n, i, j, o] = sum over p, q, c of x[n, i s - top + p, j t - left + q, c] kernel[p, q, c, o]. */
function forward(c: Convolution): (index: number) => number {
  const { x, kernel } = operands(c);
  const { oh, ow, top, left } = geometry(c);
  return (index) => {
    const [n, i, j, o] = unravel(index, [oh, ow, c.co]);
    let sum = 0;
    for (let p = 0; p < c.kh; p++) {
      const row = i * c.strides[0] - top + p;
      if (row < 0 || row >= c.h) continue;
      for (let q = 0; q < c.kw; q++) {
        const column = j * c.strides[1] - left + q;
        if (column < 0 || column >= c.w) continue;
        const from = ((n * c.h + row) * c.w + column) * c.ci;
        const weight = (p * c.kw + q) * c.ci * c.co + o;
        for (let k = 0; k < c.ci; k++) sum += (x[from + k] ?? NaN) * (kernel[weight + k * c.co] ?? NaN);
      }
    }
    return sum;
  };
}

/** dx[n, r, s, c] = sum over the outputs whose windows hold it, and o, of dy[n, i, j, o] kernel[p, q, c, o]. */
function inputGradient(c: Convolution): (index: number) => number {
  const { kernel, dy } = operands(c);
  const { oh, ow, top, left } = geometry(c);
  return (index) => {
    const [n, row, column, k] = unravel(index, [c.h, c.w, c.ci]);
    let sum = 0;
    for (let p = 0; p < c.kh; p++) {
      const i = (row + top - p) / c.strides[0];
      if (!Number.isInteger(i) || i < 0 || i >= oh) continue;
      for (let q = 0; q < c.kw; q++) {
        const j = (column + left - q) / c.strides[1];
        if (!Number.isInteger(j) || j < 0 || j >= ow) continue;
        const from = ((n * oh + i) * ow + j) * c.co;
        const weight = ((p * c.kw + q) * c.ci + k) * c.co;
        for (let o = 0; o < c.co; o++) sum += (dy[from + o] ?? NaN) * (kernel[weight + o] ?? NaN);
      }
    }
    return sum;
  };
}

/** dkernel[p, q, c, o] = sum over n, i, j of x[n, i s - top + p, j t - left + q, c] dy[n, i, j, o]. */
function filterGradient(c: Convolution): (index: number) => number {
  const { x, dy } = operands(c);
  const { oh, ow, top, left } = geometry(c);
  return (index) => {
    const [p, q, k, o] = unravel(index, [c.kw, c.ci, c.co]);
    let sum = 0;
    for (let n = 0; n < c.n; n++) {
      for (let i = 0; i < oh; i++) {
        const row = i * c.strides[0] - top + p;
        if (row < 0 || row >= c.h) continue;
        for (let j = 0; j < ow; j++) {
          const column = j * c.strides[1] - left + q;
          if (column < 0 || column >= c.w) continue;
          const from = ((n * c.h + row) * c.w + column) * c.ci + k;
          sum += (x[from] ?? NaN) * (dy[((n * oh + i) * ow + j) * c.co + o] ?? NaN);
        }
      }
    }
    return sum;
  };
}

/** The four indices of an element, from the extents of the last three axes. */
function unravel(
  index: number,
  [a, b, c]: readonly [number, number, number],
): [number, number, number, number] {
  return [
    Math.floor(index / (a * b * c)),
    Math.floor(index / (b * c)) % a,
    Math.floor(index / c) % b,
    index % c,
  ];
}
