import { ConvbaseError } from '@convbase/base';
import type { Batch, Dataset } from '../tensor/host-array.ts';
import { lookahead, Pace, throwIfAborted } from './batches.ts';
import { epochLines, type Callback } from './callbacks.ts';
import { checkDifferentiable } from './differentiable.ts';
import { evaluate } from './evaluate.ts';
import type { Network } from './network.ts';
import { checkLoss, recordTrainingStep } from './step.ts';
import { Totals } from './totals.ts';

/** Seconds between two progress updates, each of which reads a few bytes back. */
const progressSeconds = 0.25;

export interface FitConfig {
  /** The number of epochs at the end, counting from `initialEpoch`; 1 when left out. */
  readonly epochs?: number;
  readonly initialEpoch?: number;
  /** Evaluated after each epoch; its results get the prefix `val_`. */
  readonly validationData?: Dataset;
  readonly callbacks?: readonly Callback[];
  /** 1 prints a line for each epoch; 0, when left out, nothing. */
  readonly verbose?: 0 | 1;
  readonly signal?: AbortSignal;
}

/** What `fit` returns: the numbers of the epochs that ran, and for each key one value per epoch. */
export interface History {
  readonly epoch: number[];
  readonly history: Record<string, number[]>;
}

/**
 * Trains a network. The loss and accuracy of an epoch are means over its samples, taken while the weights were
 * changing, as in Keras. Each step is submitted as a whole; nothing is read back within one.
 */
export async function fit(network: Network, dataset: Dataset, config: FitConfig): Promise<History> {
  const { epochs = 1, initialEpoch = 0, validationData, signal } = config;
  const evaluation = signal === undefined ? {} : { signal };
  checkTrainable(network);
  const callbacks = [
    ...(config.callbacks ?? []),
    ...(config.verbose === 1 ? [epochLines(console.log, epochs)] : []),
  ];
  const history: History = { epoch: [], history: {} };
  network.stopTraining = false;
  const stopped = (): boolean => network.stopTraining;

  for (const callback of callbacks) await callback.onTrainBegin?.();
  for (let epoch = initialEpoch; epoch < epochs && !stopped(); epoch++) {
    for (const callback of callbacks) await callback.onEpochBegin?.(epoch);
    const logs = await trainEpoch(network, dataset, { epoch, epochs, callbacks, signal });
    if (validationData !== undefined) {
      const results = await evaluate(network, validationData, evaluation);
      for (const [key, value] of Object.entries(results)) logs[`val_${key}`] = value;
    }
    history.epoch.push(epoch);
    for (const [key, value] of Object.entries(logs)) (history.history[key] ??= []).push(value);
    for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs);
  }
  for (const callback of callbacks) await callback.onTrainEnd?.();
  return history;
}

/** One step on one batch; loss and metrics are those before the update. */
export async function trainOnBatch(network: Network, batch: Batch): Promise<Record<string, number>> {
  checkTrainable(network);
  const totals = new Totals(network.gpu, network.compiled.metrics);
  try {
    recordTrainingStep(network, batch, totals);
    return await totals.read();
  } finally {
    totals.dispose();
  }
}

interface Epoch {
  readonly epoch: number;
  readonly epochs: number;
  readonly callbacks: readonly Callback[];
  readonly signal: AbortSignal | undefined;
}

async function trainEpoch(network: Network, dataset: Dataset, run: Epoch): Promise<Record<string, number>> {
  const { epoch, epochs, callbacks, signal } = run;
  const { gpu } = network;
  const { batchCount } = dataset;
  const totals = new Totals(gpu, network.compiled.metrics);
  const pace = new Pace();
  const watchers = callbacks.filter((callback) => callback.onProgress !== undefined);
  let batchNumber = 0;
  let lastUpdate = performance.now();
  try {
    for await (const batch of lookahead(dataset.batches(epoch), signal)) {
      recordTrainingStep(network, batch, totals);
      await pace.add(gpu.idle());
      for (const callback of callbacks) await callback.onBatchEnd?.(epoch, batchNumber);
      batchNumber++;
      if (watchers.length > 0 && performance.now() - lastUpdate > progressSeconds * 1000) {
        const { samples } = totals;
        const logs = await totals.read();
        for (const callback of watchers) {
          await callback.onProgress?.({ epoch, epochs, batch: batchNumber, batchCount, samples, logs });
        }
        lastUpdate = performance.now();
      }
      throwIfAborted(signal);
    }
    if (batchNumber === 0) {
      throw new ConvbaseError('dataset/empty', `the dataset gave no batches in epoch ${epoch + 1}`, {
        where: network.name,
      });
    }
    return await totals.read();
  } finally {
    // Also when an earlier batch failed on the GPU, which shows here.
    await pace.drain().finally(() => {
      totals.dispose();
    });
  }
}

function checkTrainable(network: Network): void {
  checkLoss(network);
  if (network.trainableWeights.length === 0) {
    throw new ConvbaseError('training/frozen', 'there is nothing to train: every weight is frozen', {
      where: network.name,
      fix: 'Set `trainable = true` on the layers that are to learn.',
    });
  }
  checkDifferentiable(network);
}
