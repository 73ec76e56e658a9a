import { ConvbaseError } from '@convbase/base';
import type { Dispatch } from '../../commands/plan.ts';
import type { Conv2dShape } from './shape.ts';

/**
 * The epilogue of the forward pass: what it does with its sums before it writes them. In this order it adds a bias for
 * each channel, adds a residual tensor, and applies relu. It may write to some channels of a wider tensor.
 */
export interface Conv2dEpilogue {
  /** Add buffer `bias [co]`. */
  readonly bias: boolean;
  readonly relu: boolean;
  /** Add buffer `residual`, another buffer with the strides of y (also with `outputSlice`). */
  readonly residual?: boolean;
  /** y is `[n, oh, ow, channels]`, and the convolution writes its channels `offset .. offset + co` only. */
  readonly outputSlice?: { readonly channels: number; readonly offset: number };
}

/** Nothing is done with the sums. */
export const noEpilogue: Conv2dEpilogue = { bias: false, relu: false };

/**
 * The channels of buffer y and the first of them that a convolution writes.
 *
 * @throws ConvbaseError `conv2d/slice` for a slice that does not lie inside y.
 */
export function outputSliceOf(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
): { channels: number; offset: number } {
  const { channels, offset } = epilogue.outputSlice ?? { channels: shape.co, offset: 0 };
  if (!Number.isSafeInteger(offset) || offset < 0 || !(offset + shape.co <= channels)) {
    throw new ConvbaseError(
      'conv2d/slice',
      `channels ${String(offset)} to ${String(offset + shape.co)} are not inside ${String(channels)}`,
      { where: 'conv2d' },
    );
  }
  return { channels, offset };
}

/** Binds a stand-in where a shader has bindings for a bias and a residual that it does not read. */
export function withoutEpilogueBuffers(dispatch: Dispatch, standIn: string): Dispatch {
  if (!('bias' in dispatch.bindings)) return dispatch;
  const unread = { buffer: standIn, offset: 0, size: 16 };
  return { ...dispatch, bindings: { ...dispatch.bindings, bias: unread, residual: unread } };
}
