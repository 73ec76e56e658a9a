import type { Binding, Dispatch, KernelTarget } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import type { Conv2dFusion } from './fusion.ts';
import { tooLarge } from './pieces.ts';
import type { Conv2dShape } from './shape.ts';

const WORKGROUP = 64;

/** The next multiple of 4: the fast kernels read channels by fours. */
export function four(channels: number): number {
  return Math.ceil(channels / 4) * 4;
}

/** The same convolution with its channels filled up with zeros to multiples of 4. */
export function inFours(shape: Conv2dShape): Conv2dShape {
  return { ...shape, ci: four(shape.ci), co: four(shape.co) };
}

/** Neither bias nor relu nor anything else. */
export const plain: Conv2dFusion = { bias: false, relu: false };

/**
 * Dispatches that copy `pixels` pixels from one number of channels to another (see channels.wgsl); with `slice`, into
 * some channels of a wider tensor.
 */
export function copyChannels(
  source: { readonly buffer: string; readonly channels: number },
  result: { readonly buffer: string; readonly channels: number },
  pixels: number,
  fusion: Conv2dFusion,
  target: KernelTarget,
): Dispatch[] {
  const slice = fusion.slice ?? { channels: result.channels, offset: 0 };
  const widest = 4 * Math.max(source.channels, slice.channels);
  // One stretch of `step` pixels fits with the few bytes by which it starts before a legal offset.
  const whole = widest * pixels <= target.maxBindingBytes;
  const step = whole ? pixels : Math.floor((target.maxBindingBytes - target.offsetAlignment) / widest);
  if (step < 1) throw tooLarge(source.channels, slice.channels, target);
  const dispatches: Dispatch[] = [];
  for (let first = 0; first < pixels; first += step) {
    const count = Math.min(step, pixels - first);
    const from = floatWindow(source.buffer, first * source.channels, count * source.channels, whole, target);
    const start = first * slice.channels + slice.offset;
    const to = floatWindow(
      result.buffer,
      start,
      (count - 1) * slice.channels + result.channels,
      whole,
      target,
    );
    dispatches.push({
      shader: 'conv2d/channels',
      constants: {
        WORKGROUP,
        HAS_BIAS: fusion.bias,
        ADD_RESIDUAL: fusion.add === true,
        RELU: fusion.relu,
      },
      uniforms: {
        pixels: count,
        channels: result.channels,
        sourceChannels: source.channels,
        sourceOffset: from.skip,
        resultOffset: to.skip,
        resultPixel: slice.channels,
      },
      bindings: {
        source: from.binding,
        bias: 'bias',
        residual: fusion.add ? rebind(to.binding, 'residual') : 'bias',
        result: to.binding,
      },
      grid: grid1d(count * result.channels, WORKGROUP, target),
    });
  }
  return dispatches;
}

/** Every `step`-th tap from `first` on, `count` of them; a negative step turns them round. */
export interface TapChoice {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** A kernel matrix: `rows` x `columns` for each tap. */
interface PackedKernel {
  readonly buffer: string;
  /** Where it starts, in floats. */
  readonly offset: number;
  /** Floats in its buffer. */
  readonly length: number;
  readonly rows: number;
  readonly columns: number;
}

/** Dispatches that rearrange a kernel (see pack-kernel.wgsl). */
export function packKernel(
  source: {
    readonly buffer: string;
    readonly kh: number;
    readonly kw: number;
    readonly ci: number;
    readonly co: number;
  },
  packed: PackedKernel,
  taps: { readonly y: TapChoice; readonly x: TapChoice },
  transpose: boolean,
  target: KernelTarget,
): Dispatch[] {
  const { ci, co } = source;
  const { rows, columns } = packed;
  const tapFloats = rows * columns;
  const dispatch = (
    tap: { readonly y: TapChoice; readonly x: TapChoice; readonly index: number },
    box: { readonly row: number; readonly rows: number; readonly column: number; readonly columns: number },
    from: FloatWindow,
    to: FloatWindow,
  ): Dispatch => {
    const count = tap.y.count * tap.x.count;
    return {
      shader: 'conv2d/pack-kernel',
      constants: { WORKGROUP, TRANSPOSE: transpose },
      uniforms: {
        taps: count,
        tapsX: tap.x.count,
        firstY: tap.y.first,
        firstX: tap.x.first,
        stepY: tap.y.step,
        stepX: tap.x.step,
        kw: source.kw,
        ci,
        co,
        rows,
        columns,
        firstRow: box.row,
        rowCount: box.rows,
        firstColumn: box.column,
        columnCount: box.columns,
        sourceOffset: -from.start,
        packedOffset: packed.offset + tap.index * tapFloats - to.start,
      },
      bindings: { kernel: from.binding, packed: to.binding },
      grid: grid1d(count * box.rows * box.columns, WORKGROUP, target),
    };
  };
  const tapCount = taps.y.count * taps.x.count;
  const sourceFloats = source.kh * source.kw * ci * co;
  if (4 * Math.max(sourceFloats, packed.length) <= target.maxBindingBytes) {
    const box = { row: 0, rows, column: 0, columns };
    const all = (buffer: string): FloatWindow => ({ binding: buffer, start: 0, skip: 0 });
    return [dispatch({ ...taps, index: 0 }, box, all(source.buffer), all(packed.buffer))];
  }

  // Else tap by tap, and each tap in blocks of which both sides fit: `band` rows of packed; with the rows and
  // columns swapped these are columns of the source, and a window of the source holds whole rows.
  const most = Math.floor((target.maxBindingBytes - target.offsetAlignment) / 4);
  const rowBand = Math.min(rows, Math.floor(most / columns), transpose ? rows : Math.floor(most / co));
  const columnBand = transpose ? Math.min(columns, Math.floor(most / co)) : columns;
  if (rowBand < 1 || columnBand < 1) throw tooLarge(ci, co, target);
  const dispatches: Dispatch[] = [];
  for (let index = 0; index < tapCount; index++) {
    const ky = taps.y.first + Math.floor(index / taps.x.count) * taps.y.step;
    const kx = taps.x.first + (index % taps.x.count) * taps.x.step;
    const tap = { y: { first: ky, step: 1, count: 1 }, x: { first: kx, step: 1, count: 1 }, index };
    for (let row = 0; row < rows; row += rowBand) {
      for (let column = 0; column < columns; column += columnBand) {
        const box = {
          row,
          rows: Math.min(rowBand, rows - row),
          column,
          columns: Math.min(columnBand, columns - column),
        };
        const [c, cs] = transpose ? [column, box.columns] : [row, box.rows];
        // Rows of the packed kernel past the source's last one hold zeros; the window stays inside the source.
        const firstC = Math.min(c, ci - 1);
        const countC = Math.max(1, Math.min(cs, ci - firstC));
        const tapStart = (ky * source.kw + kx) * ci * co;
        const packedStart = packed.offset + index * tapFloats + row * columns;
        dispatches.push(
          dispatch(
            tap,
            box,
            floatWindow(source.buffer, tapStart + firstC * co, countC * co, false, target),
            floatWindow(packed.buffer, packedStart, box.rows * columns, false, target),
          ),
        );
      }
    }
  }
  return dispatches;
}

/** Some floats of a buffer as a binding. */
interface FloatWindow {
  readonly binding: Binding;
  /** The first float of the binding, in the buffer. */
  readonly start: number;
  /** Floats of the binding before the first wanted one. */
  readonly skip: number;
}

/** A binding that holds `count` floats from `first` on: it starts at the last legal offset before them. */
export function floatWindow(
  buffer: string,
  first: number,
  count: number,
  whole: boolean,
  target: KernelTarget,
): FloatWindow {
  if (whole) return { binding: buffer, start: 0, skip: first };
  const offset = Math.floor((4 * first) / target.offsetAlignment) * target.offsetAlignment;
  return {
    binding: { buffer, offset, size: 4 * (first + count) - offset },
    start: offset / 4,
    skip: first - offset / 4,
  };
}

/** The same stretch of another buffer. */
function rebind(binding: Binding, buffer: string): Binding {
  return typeof binding === 'string' ? buffer : { ...binding, buffer };
}

/** Binds a stand-in where a shader has bindings for a bias and a residual that it does not read. */
export function withoutBias(dispatch: Dispatch, standIn: string): Dispatch {
  if (!('bias' in dispatch.bindings)) return dispatch;
  const little = { buffer: standIn, offset: 0, size: 16 };
  return { ...dispatch, bindings: { ...dispatch.bindings, bias: little, residual: little } };
}
