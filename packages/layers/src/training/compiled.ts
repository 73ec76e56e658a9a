import { lossFrom, type Loss } from '../losses/index.ts';
import { metricFrom, type Metric } from '../metrics/index.ts';
import { optimizerFrom, type Optimizer } from '../optimizers/index.ts';

export interface CompileConfig {
  /** `'sgd'`, `'rmsprop'`, `'adam'`, `'adamw'` with Keras' defaults, or an optimizer. */
  readonly optimizer: string | Optimizer;
  readonly loss: string | Loss;
  readonly metrics?: readonly (string | Metric)[];
}

export interface Compiled {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** Turns names into objects. */
export function compile(config: CompileConfig): Compiled {
  return {
    optimizer: optimizerFrom(config.optimizer),
    loss: lossFrom(config.loss),
    metrics: (config.metrics ?? []).map(metricFrom),
  };
}
