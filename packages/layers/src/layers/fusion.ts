import type { Slot } from '../ops/conv2d.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import type { Variable } from './variable.ts';

/*
 * How one kernel does the work of several calls. A layer says what its kernel can do besides (`Layer.takesIn`), a layer
 * that may be done in front of itself says as what (`Layer.followsAs`), and `model/steps.ts` brings them together where
 * nobody sees what is between. `Layer.fused` then computes the call with all that was taken in.
 */

/**
 * What a layer's kernel can do of what follows the layer, in this order: a constant map of the channels multiplied into
 * its weights, the sum with another tensor, relu, and writing into some channels of a wider tensor.
 */
export interface TakesIn {
  readonly fold?: boolean;
  readonly residual?: boolean;
  readonly relu?: boolean;
  /** Not together with a residual. */
  readonly slot?: boolean;
}

/** A map y = a x + b of each channel with constant a and b, which can be multiplied into the weights before it. */
export interface Foldable {
  /** What a and b are computed from: who keeps folded weights has to make them anew when one of these changes. */
  readonly weights: readonly Variable[];
  /**
   * The weights (.., out) and the bias (out), or none, of a layer followed by the map; the kernel stored as `dtype`. The
   * caller owns them.
   */
  foldInto(
    kernel: Tensor,
    bias: Tensor | null,
    dtype: DType,
    context: CallContext,
  ): { kernel: Tensor; bias: Tensor };
}

/**
 * As what a call can be done by the one in front of it: a foldable map, the sum of all inputs, relu, or the inputs joined
 * along the last axis.
 */
export type FollowsAs =
  { readonly kind: 'fold'; readonly map: Foldable } | { readonly kind: 'sum' | 'relu' | 'join' };

/** What was taken into a call; nothing but what the layer says it `takesIn`. */
export interface Epilogue {
  readonly fold?: Foldable | undefined;
  /** A tensor like the result; only where no gradient passes. */
  readonly residual?: Tensor | undefined;
  readonly relu?: boolean | undefined;
  /** Channels of a wider tensor to write; only where no gradient passes. */
  readonly slot?: Slot | undefined;
}
