import type { KernelTarget } from '../../commands/plan.ts';
import type { FilterGradientChoice, ForwardChoice } from './choose.ts';
import type { Conv2dShape } from './shape.ts';

/** Every kernel of the forward pass (and of the input gradient) that may be picked on this target. */
export function forwardCandidates(target: KernelTarget): ForwardChoice[] {
  return [
    ...([4, 8] as const).map((rows) => ({ variant: 'tile' as const, rows })),
    ...([4, 8] as const).map((pixels) => ({ variant: 'register' as const, pixels })),
    ...(target.subgroupSize === 8
      ? [1, 2, 3, 4].map((groups) => ({ variant: 'subgroup' as const, groups }))
      : []),
  ];
}

/** Every kernel of the filter gradient with every number of parts worth a try. */
export function filterGradientCandidates(shape: Conv2dShape, target: KernelTarget): FilterGradientChoice[] {
  const names: FilterGradientChoice['variant'][] = ['tile', 'register'];
  if (target.subgroupSize === 8) names.push('subgroup');
  const pixels = shape.n * shape.oh * shape.ow;
  const splits = [1, 2, 4, 8, 16, 32, 64].filter((count) => count === 1 || pixels / count >= 64);
  return names.flatMap((variant) => splits.map((count) => ({ variant, splits: count })));
}
