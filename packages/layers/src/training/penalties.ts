import { planAccumulate, planPenalty, planPenaltyGradient } from '@convbase/core-gpu';
import type { WeightGradient } from '../optimizers/index.ts';
import { fill } from '../ops/elementwise.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Network } from './network.ts';
import type { Totals } from './totals.ts';

/** Records what the trainable weights' regularizers add to the loss, as often as there are samples. */
export function addPenalties({ gpu, trainableWeights }: Network, totals: Totals, samples: number): void {
  const regularized = trainableWeights.filter((variable) => variable.regularizer !== null);
  if (regularized.length === 0) return;
  const sum = fill(gpu, [1], 0, 'penalties');
  for (const variable of regularized) {
    const { l1, l2 } = variable.regularizer ?? { l1: 0, l2: 0 };
    const penalty = Tensor.empty(gpu, [1], 'penalty');
    gpu.run(planPenalty({ count: variable.size, l1, l2 }, gpu.target), {
      w: variable.tensor(gpu).buffer,
      y: penalty.buffer,
    });
    gpu.run(planAccumulate({ count: 1 }, gpu.target), { total: sum.buffer, value: penalty.buffer });
    penalty.dispose();
  }
  totals.addPenalty(sum, samples);
  sum.dispose();
}

/** Records the addition of a weight's penalty to its gradient. */
export function addPenaltyGradient({ variable, gradient }: WeightGradient): void {
  if (variable.regularizer === null) return;
  const { l1, l2 } = variable.regularizer;
  const { gpu } = gradient;
  gpu.run(planPenaltyGradient({ count: variable.size, l1, l2 }, gpu.target), {
    w: variable.tensor(gpu).buffer,
    g: gradient.buffer,
  });
}
