import type { LossScaleRules } from './loss-scale.ts';

/** As in `update.wgsl`. */
export interface LossScaleState {
  readonly scale: number;
  /** Good steps since the scale changed. */
  readonly steps: number;
  readonly skipped: number;
  /** Steps skipped in a row that had the smallest scale. */
  readonly stuck: number;
}

/** The state after a step, as `keras/src/optimizers/loss_scale_optimizer.py` has it, but for the limits. */
export function nextLossScale(
  { scale, steps, skipped, stuck }: LossScaleState,
  isFinite: boolean,
  { growthSteps, smallest, largest }: LossScaleRules,
): LossScaleState {
  if (!isFinite) {
    const next = { scale: Math.max(scale / 2, smallest), steps: 0, skipped: skipped + 1 };
    return { ...next, stuck: scale === smallest ? stuck + 1 : 0 };
  }
  return steps === growthSteps - 1
    ? { scale: Math.min(scale * 2, largest), steps: 0, skipped, stuck: 0 }
    : { scale, steps: steps + 1, skipped, stuck: 0 };
}
