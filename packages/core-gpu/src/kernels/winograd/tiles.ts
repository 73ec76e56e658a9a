import type { Conv2dShape } from '../conv2d/shape.ts';

/** A convolution's kernel, as far as its transform depends on it. */
export type WinogradKernel = Pick<Conv2dShape, 'kh' | 'kw' | 'ci' | 'co'>;

/** Taps of the filters that run along a row or a column: one is this long and the other 1. */
const TAPS_1D = 7;

/** Whether a filter runs along a row or a column, and which; else it is a square one, or none that Winograd can do. */
export function axisOf1d({ kh, kw }: Pick<Conv2dShape, 'kh' | 'kw'>): 'row' | 'column' | null {
  if (kh === 1 && kw === TAPS_1D) return 'row';
  return kh === TAPS_1D && kw === 1 ? 'column' : null;
}

/** Products of a tile: one for each position of its input tile. */
export function positions(kernel: Pick<Conv2dShape, 'kh' | 'kw'>, output: number): number {
  return axisOf1d(kernel) === null ? (output + 2) ** 2 : output + TAPS_1D - 1;
}

/** Tiles of a convolution, of `output` pixels along every axis along which its filter runs. */
export function winogradTiles(s: Conv2dShape, output: number): { x: number; y: number; count: number } {
  const line = axisOf1d(s);
  const x = Math.ceil(s.ow / (line === 'column' ? 1 : output));
  const y = Math.ceil(s.oh / (line === 'row' ? 1 : output));
  return { x, y, count: s.n * x * y };
}
