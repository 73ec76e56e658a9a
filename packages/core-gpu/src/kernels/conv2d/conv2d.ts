import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planNaiveFilterGradient, planNaiveForward, planNaiveInputGradient } from './naive.ts';
import type { Conv2dShape } from './shape.ts';

/** What the forward pass does with the sums before it writes them: add a bias per channel, then relu. */
export interface Conv2dFusion {
  readonly bias: boolean;
  readonly relu: boolean;
}

/**
 * y = conv(x, kernel), with bias and relu fused if wanted.
 *
 * Buffers: `x [n, h, w, ci]`, `kernel [kh, kw, ci, co]`, `bias [co]` (null without), `y [n, oh, ow, co]`.
 */
export function planConv2dForward(shape: Conv2dShape, fusion: Conv2dFusion, target: KernelTarget): Plan {
  return planNaiveForward(shape, fusion, target);
}

/** dx from dy. Buffers: `dy [n, oh, ow, co]`, `kernel [kh, kw, ci, co]`, `dx [n, h, w, ci]`. */
export function planConv2dInputGradient(shape: Conv2dShape, target: KernelTarget): Plan {
  return planNaiveInputGradient(shape, target);
}

/** dkernel from x and dy. Buffers: `x [n, h, w, ci]`, `dy [n, oh, ow, co]`, `dkernel [kh, kw, ci, co]`. */
export function planConv2dFilterGradient(shape: Conv2dShape, target: KernelTarget): Plan {
  return planNaiveFilterGradient(shape, target);
}
