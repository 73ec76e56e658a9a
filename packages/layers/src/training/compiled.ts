import { ConvbaseError } from '@convbase/base';
import { lossFrom, type Loss, type TensorFunction } from '../losses/index.ts';
import { metricFrom, type Metric } from '../metrics/index.ts';
import { optimizerFrom, type Optimizer } from '../optimizers/index.ts';

export interface CompileConfig {
  /** `'sgd'`, `'rmsprop'`, `'adam'`, `'adamw'` with Keras' defaults, or an optimizer. */
  readonly optimizer: string | Optimizer;
  /** A name, a loss, or a function of labels and outputs, whose gradient the tape finds. */
  readonly loss: string | Loss | TensorFunction;
  /** A function's metric is called as the function is. */
  readonly metrics?: readonly (string | Metric | TensorFunction)[];
}

export interface Compiled {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** Turns names and functions into objects. Throws `metric/name` for two metrics of one name. */
export function compile(config: CompileConfig): Compiled {
  const metrics = (config.metrics ?? []).map(metricFrom);
  const names = new Set(['loss']);
  for (const { name } of metrics) {
    if (names.has(name)) {
      throw new ConvbaseError('metric/name', `there is something else called ${name} in the history`, {
        where: 'compile',
        fix: 'Give each metric a name of its own; that of a function is the name it was declared by.',
      });
    }
    names.add(name);
  }
  return { optimizer: optimizerFrom(config.optimizer), loss: lossFrom(config.loss), metrics };
}
