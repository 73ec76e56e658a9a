import { planSgd, type Gpu, type Plan } from '@convbase/core-gpu';
import { checkNumber, Optimizer, type OptimizerConfig, type UpdateStep } from './optimizer.ts';

export interface SGDConfig extends OptimizerConfig {
  /** 0 when left out. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent, learning rate 0.01 when left out. */
export class SGD extends Optimizer {
  readonly momentum: number;
  readonly nesterov: boolean;

  constructor(config: SGDConfig = {}) {
    super(config, 0.01);
    this.momentum = checkNumber('momentum', config.momentum ?? 0, { most: 1 });
    this.nesterov = config.nesterov ?? false;
  }

  protected slotNames(): Readonly<Record<string, boolean>> {
    return { velocity: this.momentum !== 0 };
  }

  protected plan(gpu: Gpu, update: UpdateStep): Plan {
    const { momentum, nesterov, weightDecay } = this;
    return planSgd({ ...update, momentum, nesterov, weightDecay }, gpu.target);
  }
}
