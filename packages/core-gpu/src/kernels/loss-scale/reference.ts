/** A loss scale and the good steps since it changed. */
export interface LossScaleState {
  readonly scale: number;
  readonly steps: number;
}

/** The state after a step, as `keras/src/optimizers/loss_scale_optimizer.py` has it. */
export function nextLossScale(
  { scale, steps }: LossScaleState,
  isFinite: boolean,
  growthSteps: number,
): LossScaleState {
  if (!isFinite) return { scale: scale / 2, steps: 0 };
  return steps === growthSteps - 1 ? { scale: scale * 2, steps: 0 } : { scale, steps: steps + 1 };
}
