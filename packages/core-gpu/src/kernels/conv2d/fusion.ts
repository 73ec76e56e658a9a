import { ConvbaseError } from '@convbase/base';
import type { Conv2dShape } from './shape.ts';

/**
 * What the forward pass does with its sums before it writes them, in this order: add a bias per channel, add a tensor,
 * apply relu. And where it writes them.
 */
export interface Conv2dFusion {
  /** Add buffer `bias [co]`. */
  readonly bias: boolean;
  readonly relu: boolean;
  /** Add buffer `residual`, which lies exactly as y does (with `slice` too) and is another buffer. */
  readonly add?: boolean;
  /** y is `[n, oh, ow, channels]`, and the convolution writes its channels `offset .. offset + co` only. */
  readonly slice?: { readonly channels: number; readonly offset: number };
}

/**
 * The channels of buffer y and the first of them that a convolution writes.
 *
 * @throws ConvbaseError `conv2d/slice` for a slice that does not lie inside y.
 */
export function sliceOf(shape: Conv2dShape, fusion: Conv2dFusion): { channels: number; offset: number } {
  const { channels, offset } = fusion.slice ?? { channels: shape.co, offset: 0 };
  if (!Number.isSafeInteger(offset) || offset < 0 || !(offset + shape.co <= channels)) {
    throw new ConvbaseError(
      'conv2d/slice',
      `channels ${String(offset)} to ${String(offset + shape.co)} are not inside ${String(channels)}`,
      { where: 'conv2d' },
    );
  }
  return { channels, offset };
}
