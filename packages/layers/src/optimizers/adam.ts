import { planAdam, planAdamRate, type Gpu, type Plan } from '@convbase/core-gpu';
import { Tensor } from '../tensor/tensor.ts';
import { checkNumber, Optimizer, type OptimizerConfig, type UpdateStep } from './optimizer.ts';

export interface AdamConfig extends OptimizerConfig {
  /** 0.9 when left out. */
  readonly beta1?: number;
  /** 0.999 when left out. */
  readonly beta2?: number;
  /** 1e-7 when left out. */
  readonly epsilon?: number;
  readonly amsgrad?: boolean;
}

/** Adam (Kingma and Ba, 2014), learning rate 0.001 when left out. */
export class Adam extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly amsgrad: boolean;

  constructor(config: AdamConfig = {}) {
    super(config, 0.001);
    this.beta1 = checkNumber('beta1', config.beta1 ?? 0.9, { below: 1 });
    this.beta2 = checkNumber('beta2', config.beta2 ?? 0.999, { below: 1 });
    this.epsilon = checkNumber('epsilon', config.epsilon ?? 1e-7);
    this.amsgrad = config.amsgrad ?? false;
  }

  protected slotNames(): Readonly<Record<string, boolean>> {
    return { m: true, v: true, vMax: this.amsgrad };
  }

  protected override stepRate(learningRate: number, step: number, state: Tensor): Tensor {
    const { beta1, beta2 } = this;
    const rate = Tensor.empty(state.gpu, [1], 'Adam rate');
    const plan = planAdamRate({ learningRate, beta1, beta2, step });
    state.gpu.run(plan, { state: state.buffer, rate: rate.buffer });
    return rate;
  }

  protected plan(gpu: Gpu, update: UpdateStep): Plan {
    const { beta1, beta2, epsilon, amsgrad, weightDecay, iterations: step } = this;
    return planAdam({ ...update, beta1, beta2, epsilon, amsgrad, weightDecay, step }, gpu.target);
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter, 2017), 0.004 when left out. */
export class AdamW extends Adam {
  constructor(config: AdamConfig = {}) {
    super({ ...config, weightDecay: config.weightDecay ?? 0.004 });
  }
}
