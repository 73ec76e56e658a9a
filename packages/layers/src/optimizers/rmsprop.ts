import { planRmsprop, type Gpu, type Plan } from '@convbase/core-gpu';
import { checkNumber, Optimizer, type OptimizerConfig, type UpdateStep } from './optimizer.ts';

export interface RMSpropConfig extends OptimizerConfig {
  /** 0.9 when left out. */
  readonly rho?: number;
  /** 0 when left out. */
  readonly momentum?: number;
  /** 1e-7 when left out. */
  readonly epsilon?: number;
  readonly centered?: boolean;
}

/** RMSprop, learning rate 0.001 when left out. */
export class RMSprop extends Optimizer {
  readonly rho: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly centered: boolean;

  constructor(config: RMSpropConfig = {}) {
    super(config, 0.001);
    this.rho = checkNumber('rho', config.rho ?? 0.9, { most: 1 });
    this.momentum = checkNumber('momentum', config.momentum ?? 0, { most: 1 });
    this.epsilon = checkNumber('epsilon', config.epsilon ?? 1e-7);
    this.centered = config.centered ?? false;
  }

  protected slotNames(): Readonly<Record<string, boolean>> {
    return { meanSquare: true, velocity: this.momentum > 0, meanGradient: this.centered };
  }

  protected plan(gpu: Gpu, update: UpdateStep): Plan {
    const { rho, momentum, epsilon, centered, weightDecay } = this;
    return planRmsprop({ ...update, rho, momentum, epsilon, centered, weightDecay }, gpu.target);
  }
}
