import { untuned } from '../../tuning/table.ts';
import { sumTolerance } from '../../tuning/tolerance.ts';
import { distinct, type Tunable } from '../../tuning/tunable.ts';
import { conv2dForwardTunable } from '../conv2d/tunable.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import {
  chooseConv2dFrozen,
  FROZEN,
  frozenCandidates,
  isWinograd,
  planConv2dFrozen,
  type FrozenChoice,
} from './frozen.ts';
import { planWinogradKernel, transformedKernelLength } from './winograd.ts';

const plain = { bias: false, relu: false };

export const conv2dFrozenTunable: Tunable<Conv2dShape, FrozenChoice> = {
  kernel: FROZEN,
  candidates: (shape, target) =>
    distinct([chooseConv2dFrozen(shape, plain, untuned(target)), ...frozenCandidates(shape, plain, target)]),
  choose: (shape, target) => chooseConv2dFrozen(shape, plain, untuned(target)),
  plans: (shape, choice, target) => {
    const each = planConv2dFrozen(shape, plain, target, choice);
    if (!isWinograd(choice)) return { each };
    return {
      kept: { transformedKernel: 4 * transformedKernelLength(shape, choice) },
      once: planWinogradKernel(shape, choice, target),
      each,
    };
  },
  inputs: conv2dForwardTunable.inputs,
  unused: ['bias'],
  output: conv2dForwardTunable.output,
  at: conv2dForwardTunable.at,
  // Winograd's limit is on the error of a model's features; a wrong tile is off by a hundred times as much.
  tolerance: ({ kh, kw, ci }, choice) => (isWinograd(choice) ? 1e-4 : sumTolerance(kh * kw * ci)),
};
