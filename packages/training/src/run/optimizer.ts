import {
  CosineDecay,
  ExponentialDecay,
  optimizerFrom,
  PiecewiseConstantDecay,
  type LearningRateSchedule,
  type Optimizer,
} from '@convbase/layers';
import { given } from './given.ts';
import type { RecipeStage } from '../recipe/index.ts';

/** The optimizer that a stage asks for, new. */
export function stageOptimizer({ name, learningRate, ...options }: RecipeStage['optimizer']): Optimizer {
  const rate = learningRate === undefined ? {} : { learningRate: scheduleOf(learningRate) };
  return optimizerFrom(name, { ...given(options), ...rate });
}

type Rate = NonNullable<RecipeStage['optimizer']['learningRate']>;

function scheduleOf(rate: Rate): number | LearningRateSchedule {
  if (typeof rate === 'number') return rate;
  switch (rate.schedule) {
    case 'PiecewiseConstantDecay':
      return new PiecewiseConstantDecay(rate);
    case 'ExponentialDecay':
      return new ExponentialDecay(given(rate));
    case 'CosineDecay':
      return new CosineDecay(given(rate));
  }
}
