import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { tunedChoice } from '../../tuning/table.ts';
import { forwardCandidates } from '../conv2d/candidates.ts';
import { chooseConv2dForward, type ForwardChoice } from '../conv2d/choose.ts';
import { planConv2dForward } from '../conv2d/forward.ts';
import type { Conv2dEpilogue } from '../conv2d/epilogue.ts';
import { checkConv2dShape, type Conv2dShape } from '../conv2d/shape.ts';
import { chooseWinograd, winogradCandidates, type WinogradChoice } from './choose.ts';
import { planWinograd } from './winograd.ts';

/** How a convolution whose weights stay as they are is computed. */
export type FrozenChoice = WinogradChoice | ForwardChoice;

/** As in `Problem.kernel`. */
export const FROZEN = 'conv2d frozen';

export function isWinograd(choice: FrozenChoice): choice is WinogradChoice {
  return 'output' in choice;
}

/** Every way that may be picked on this target, Winograd's and the direct ones. */
export function frozenCandidates(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
): FrozenChoice[] {
  return [...winogradCandidates(shape, epilogue, target), ...forwardCandidates(shape, target)];
}

/** Picks between Winograd's algorithm and the direct kernels, by measurement if there is one, else by their rules. */
export function chooseConv2dFrozen(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
): FrozenChoice {
  return (
    tunedChoice(target, FROZEN, shape, () => frozenCandidates(shape, epilogue, target)) ??
    chooseWinograd(shape, epilogue, target) ??
    chooseConv2dForward(shape, target)
  );
}

/**
 * y = conv(x, kernel) for weights that stay as they are. Buffers as `planWinograd` says where the choice is Winograd's,
 * else as `planConv2dForward` does.
 */
export function planConv2dFrozen(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
  choice: FrozenChoice = chooseConv2dFrozen(shape, epilogue, target),
): Plan {
  checkConv2dShape(shape);
  const plan = isWinograd(choice)
    ? planWinograd(shape, epilogue, target, choice)
    : planConv2dForward(shape, epilogue, target, choice);
  return { ...plan, problem: { kernel: FROZEN, shape: { ...shape } } };
}
