import type { KernelTarget } from '../../commands/plan.ts';
import { untuned } from '../../tuning/table.ts';
import { sumTolerance } from '../../tuning/tolerance.ts';
import { distinct, type Tunable } from '../../tuning/tunable.ts';
import { filterGradientCandidates, forwardCandidates, inputGradientCandidates } from './candidates.ts';
import {
  chooseConv2dFilterGradient,
  chooseConv2dForward,
  type FilterGradientChoice,
  type ForwardChoice,
} from './choose.ts';
import { planConv2dFilterGradient } from './filter-gradient.ts';
import { planConv2dForward } from './forward.ts';
import { planConv2dInputGradient } from './input-gradient.ts';
import { conv2dFilterGradientAt, conv2dForwardAt, conv2dInputGradientAt } from './reference.ts';
import { conv2dLengths, type Conv2dShape } from './shape.ts';

const none = new Float32Array();
const ruleChoice = (shape: Conv2dShape, target: KernelTarget): ForwardChoice =>
  chooseConv2dForward(shape, untuned(target));

export const conv2dForwardTunable: Tunable<Conv2dShape, ForwardChoice> = {
  kernel: 'conv2d forward',
  candidates: (shape, target) => distinct([ruleChoice(shape, target), ...forwardCandidates(shape, target)]),
  choose: ruleChoice,
  plans: (shape, choice, target) => ({
    each: planConv2dForward(shape, { bias: false, relu: false }, target, choice),
  }),
  inputs: (shape) => {
    const { x, kernel } = conv2dLengths(shape);
    return [
      { name: 'x', length: x },
      { name: 'kernel', length: kernel },
    ];
  },
  unused: ['bias'],
  output: (shape) => ({ name: 'y', length: conv2dLengths(shape).y }),
  at: (shape, { x = none, kernel = none }, index) => conv2dForwardAt(shape, x, kernel, index),
  tolerance: ({ kh, kw, ci }) => sumTolerance(kh * kw * ci),
};

export const conv2dInputGradientTunable: Tunable<Conv2dShape, ForwardChoice> = {
  kernel: 'conv2d input gradient',
  candidates: (shape, target) =>
    distinct([ruleChoice(firstPhase(shape), target), ...inputGradientCandidates(shape, target)]),
  choose: (shape, target) => ruleChoice(firstPhase(shape), target),
  plans: (shape, choice, target) => ({ each: planConv2dInputGradient(shape, target, choice) }),
  inputs: (shape) => {
    const { y, kernel } = conv2dLengths(shape);
    return [
      { name: 'dy', length: y },
      { name: 'kernel', length: kernel },
    ];
  },
  output: (shape) => ({ name: 'dx', length: conv2dLengths(shape).x }),
  at: (shape, { dy = none, kernel = none }, index) => conv2dInputGradientAt(shape, dy, kernel, index),
  tolerance: ({ kh, kw, co }) => sumTolerance(kh * kw * co),
};

export const conv2dFilterGradientTunable: Tunable<Conv2dShape, FilterGradientChoice> = {
  kernel: 'conv2d filter gradient',
  candidates: (shape, target) =>
    distinct([
      chooseConv2dFilterGradient(shape, untuned(target)),
      ...filterGradientCandidates(shape, target),
    ]),
  choose: (shape, target) => chooseConv2dFilterGradient(shape, untuned(target)),
  plans: (shape, choice, target) => ({ each: planConv2dFilterGradient(shape, target, choice) }),
  inputs: (shape) => {
    const { x, y } = conv2dLengths(shape);
    return [
      { name: 'x', length: x },
      { name: 'dy', length: y },
    ];
  },
  output: (shape) => ({ name: 'dkernel', length: conv2dLengths(shape).kernel }),
  at: (shape, { x = none, dy = none }, index) => conv2dFilterGradientAt(shape, x, dy, index),
  tolerance: ({ n, oh, ow }) => sumTolerance(n * oh * ow),
};

/** The first phase of the input gradient as a forward pass: what the rules look at. */
function firstPhase(shape: Conv2dShape): Conv2dShape {
  const { ci, co, h, w, strideH, strideW } = shape;
  return { ...shape, ci: co, co: ci, oh: Math.ceil(h / strideH), ow: Math.ceil(w / strideW) };
}
