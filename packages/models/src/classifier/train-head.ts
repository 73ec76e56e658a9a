import type { Gpu } from '@convbase/core-gpu';
import {
  optimizerFrom,
  type Callback,
  type Dataset,
  type History,
  type InputMeter,
  type Model,
  type Precision,
} from '@convbase/layers';
import { buildHead, headLoss, type HeadConfig } from './head.ts';

export interface TrainHeadOptions extends HeadConfig {
  readonly gpu: Gpu;
  /** Batches of features `[n, ...featureShape]` with labels `[n, 1]` for two classes, one-hot for more. */
  readonly dataset: Dataset;
  readonly validationData?: Dataset;
  /** `adam`, `adamw`, `rmsprop` or `sgd`. */
  readonly optimizer: string;
  /** Default: Keras' for the optimizer. */
  readonly learningRate?: number;
  /** Default float32. */
  readonly precision?: Precision;
  readonly epochs: number;
  /** Decides the initial weights and what dropout drops. */
  readonly seed: number;
  readonly callbacks?: readonly Callback[];
  readonly signal?: AbortSignal;
  /** Told what is waited for. */
  readonly meter?: InputMeter;
}

/** Trains the dense head on features. The same seed gives the same head on the same adapter. */
export async function trainHead(
  options: TrainHeadOptions,
): Promise<{ head: Model; history: History; learningRate: number }> {
  const { gpu, dataset, validationData, epochs, seed, callbacks, signal, meter, learningRate } = options;
  const head = buildHead(options);
  head.seed(seed);
  head.to(gpu).precision = options.precision ?? 'float32';
  const optimizer = optimizerFrom(options.optimizer, learningRate === undefined ? {} : { learningRate });
  head.compile({ optimizer, loss: headLoss(options.classCount), metrics: ['accuracy'] });
  const history = await head.fit(dataset, {
    epochs,
    ...(validationData ? { validationData } : {}),
    ...(callbacks ? { callbacks } : {}),
    ...(signal ? { signal } : {}),
    ...(meter ? { meter } : {}),
  });
  return { head, history, learningRate: optimizer.learningRate };
}
