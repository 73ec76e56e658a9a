import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planConv2dForward } from '../conv2d/forward.ts';
import { conv2dLengths, conv2dShape } from '../conv2d/shape.ts';
import type { Ladder, Rung } from '../ladder.ts';
import { winogradCandidates, type WinogradChoice } from './choose.ts';
import { chooseConv2dFrozen, isWinograd } from './frozen.ts';
import { planWinograd, planWinogradKernel, transformedKernelLength } from './winograd.ts';

const shape = conv2dShape({
  input: [1, 75, 75, 128],
  kernel: [3, 3, 128, 128],
  strides: [1, 1],
  padding: 'same',
});
const epilogue = { bias: false, relu: false };
const lengths = conv2dLengths(shape);

/** All passes, that over the kernel included. */
function planWhole(choice: WinogradChoice, target: KernelTarget): Plan {
  const kernel = planWinogradKernel(shape, choice, target);
  const plan = planWinograd(shape, epilogue, target, choice);
  return {
    ...plan,
    dispatches: [...kernel.dispatches, ...plan.dispatches],
    temporaries: { ...plan.temporaries, transformedKernel: 4 * transformedKernelLength(shape, choice) },
  };
}

const rungs: readonly (readonly [name: string, choice: WinogradChoice])[] = [
  ['F(2x2), rows', { output: 2, product: 'subgroup', groups: 3 }],
  ['F(3x3), rows', { output: 3, product: 'subgroup', groups: 3 }],
  ['F(4x4), rows', { output: 4, product: 'subgroup', groups: 3 }],
  ['F(4x4), outer products', { output: 4, product: 'outer-product', groups: 4 }],
  ['F(4x4), batch of matrix products', { output: 4, product: 'matmul', groups: 1 }],
];

/** From the direct convolution to Winograd's with larger and larger tiles. */
export const winogradLadder: Ladder = {
  kernel: 'winograd',
  problem: '3x3 convolution, 75x75 pixels, 128 to 128 channels, batch 1, the kernel transformed every time',
  inputs: { x: lengths.x, kernel: lengths.kernel, bias: shape.co },
  output: { name: 'y', length: lengths.y },
  rungs: [
    { name: 'direct', plan: (target) => planConv2dForward(shape, epilogue, target) },
    ...rungs.map(([name, choice]): Rung => ({
      name,
      plan: (target) => planWhole(choice, target),
      runsOn: (target) =>
        choice.product === 'matmul' ||
        winogradCandidates(shape, epilogue, target).some(({ product }) => product === choice.product),
    })),
    {
      name: 'in use here',
      plan: (target: KernelTarget): Plan => {
        const choice = chooseConv2dFrozen(shape, epilogue, target);
        return isWinograd(choice)
          ? planWhole(choice, target)
          : planConv2dForward(shape, epilogue, target, choice);
      },
    },
  ],
};
