import { ConvbaseError, visibleLine } from '@convbase/base';
import { checkIsBatch } from '../tensor/batches-of.ts';
import type { ArrayInput, Batch, Dataset } from '../tensor/host-array.ts';
import { epochLines, type Callback } from './callbacks.ts';
import { withClassWeight } from './class-weight.ts';
import {
  datasetConfig,
  isDataset,
  trainingData,
  validationSet,
  type ArrayOptions,
  type Inputs,
  type ValidationArrays,
} from './data.ts';
import { checkDifferentiable } from './differentiable.ts';
import { trainEpoch } from './epoch.ts';
import type { InputMeter } from './input-meter.ts';
import type { Network } from './network.ts';
import { checkPosition, epochStart, type FitPosition } from './position.ts';
import { checkLoss, recordTrainingStep } from './step.ts';
import { takeSteps } from './take-steps.ts';
import { Totals } from './totals.ts';

export interface FitConfig {
  /** The number of epochs at the end, counting from `initialEpoch`; 1 when left out. */
  readonly epochs?: number;
  readonly initialEpoch?: number;
  /**
   * Where to begin instead, also in the middle of an epoch: a position that a callback was given. With the model's
   * state of that moment (`exportTrainingState`) the training goes on as if it had not been interrupted.
   */
  readonly start?: FitPosition;
  /** Batches of an epoch, which goes on through the data where the one before it ended; see `takeSteps`. */
  readonly stepsPerEpoch?: number;
  /** Evaluated after each epoch; its results get the prefix `val_`. Of arrays: `[x, y]` or `[x, y, sampleWeight]`. */
  readonly validationData?: Dataset | ValidationArrays;
  /** How many samples of arrays are validated on at once; `batchSize` when left out. */
  readonly validationBatchSize?: number;
  /** How many batches to evaluate, always the same first ones. */
  readonly validationSteps?: number;
  /**
   * A compiled model that shares the weights and takes `validationData` in place of the trained one: the suffix of
   * `splitFrozen` for validation data that has been through the prefix already.
   */
  readonly validationModel?: Network;
  /** What each class' samples count in the training loss, 1 for those not named; see `balancedClassWeight`. */
  readonly classWeight?: Readonly<Record<number, number>>;
  readonly callbacks?: readonly Callback[];
  /** 1 prints a line for each epoch; 0, when left out, nothing. */
  readonly verbose?: 0 | 1;
  readonly signal?: AbortSignal;
  /** Told what training and validation wait for. */
  readonly meter?: InputMeter;
}

/** For arrays; names and defaults are Keras'. */
export interface FitArraysConfig extends FitConfig, ArrayOptions {}

/** What `fit` returns: the numbers of the epochs that ran, and for each key one value per epoch. */
export interface History {
  readonly epoch: number[];
  readonly history: Record<string, number[]>;
}

/**
 * Trains a network. The loss and accuracy of an epoch are means over its samples, taken while the weights were
 * changing, as in Keras. Each step is submitted as a whole; nothing is read back within one.
 */
export async function fit(
  network: Network,
  data: Dataset | Inputs,
  labelsOrConfig: ArrayInput | FitConfig | undefined,
  arraysConfig: FitArraysConfig = {},
): Promise<History> {
  if (isDataset(data)) {
    return fitDataset(network, data, datasetConfig(labelsOrConfig, arraysConfig, network.name));
  }
  const labels = labelsOrConfig as ArrayInput | undefined;
  const { dataset, validationData } = trainingData(data, labels, arraysConfig, network.name);
  const { validationBatchSize = arraysConfig.batchSize } = arraysConfig;
  return fitDataset(network, dataset, {
    ...(validationData && { validationData }),
    ...arraysConfig,
    ...(validationBatchSize !== undefined && { validationBatchSize }),
  });
}

async function fitDataset(network: Network, data: Dataset, config: FitConfig): Promise<History> {
  const { epochs = 1, start = epochStart(config.initialEpoch ?? 0) } = config;
  checkTrainable(network);
  checkCounts(config);
  checkPosition(start);
  const validationData = validationSet(config.validationData, config.validationBatchSize, network.name);
  const callbacks = [
    ...(config.callbacks ?? []),
    ...(config.verbose === 1 ? [epochLines((line) => console.log(visibleLine(line)), epochs)] : []),
  ];
  const run = {
    network,
    dataset: withClassWeight(taking(data, config.stepsPerEpoch), config.classWeight, classCount(network)),
    validationData: validationData && taking(validationData, config.validationSteps),
    validationModel: config.validationModel ?? network,
    epochs,
    callbacks,
    signal: config.signal,
    meter: config.meter,
  };
  const history: History = { epoch: [], history: {} };
  const stopped = (): boolean => network.stopTraining;
  return alone(network, async () => {
    network.stopTraining = false;
    for (const callback of callbacks) callback.setModel?.(network);
    for (const callback of callbacks) await callback.onTrainBegin?.();
    for (let epoch = start.epoch; epoch < epochs && !stopped(); epoch++) {
      const logs = await trainEpoch(run, epoch === start.epoch ? start : epochStart(epoch));
      const next = (): Promise<FitPosition> => Promise.resolve(epochStart(epoch + 1));
      for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs, next);
      history.epoch.push(epoch);
      for (const [key, value] of Object.entries(logs)) (history.history[key] ??= []).push(value);
    }
    for (const callback of callbacks) await callback.onTrainEnd?.();
    return history;
  });
}

/** Those that `fit` is training. */
const inTraining = new WeakSet<Network>();

/** Runs one training of a network at a time: of two the steps would mix. Throws `training/running` for the second. */
async function alone<T>(network: Network, train: () => Promise<T>): Promise<T> {
  if (inTraining.has(network)) {
    throw new ConvbaseError('training/running', 'the model is being trained already', {
      where: network.name,
      fix: 'Wait for the first fit() to end (await it) before the next one begins.',
    });
  }
  inTraining.add(network);
  try {
    return await train();
  } finally {
    inTraining.delete(network);
  }
}

/** One step on one batch; loss and metrics are those before the update. */
export async function trainOnBatch(network: Network, batch: Batch): Promise<Record<string, number>> {
  checkIsBatch(batch, network.name);
  checkTrainable(network);
  const totals = new Totals(network.gpu, network.compiled.metrics);
  try {
    recordTrainingStep(network, batch, totals);
    await network.compiled.optimizer.settle(network.precision === 'mixed');
    return await totals.read();
  } finally {
    totals.dispose();
  }
}

/** Throws `training/epochs` or `dataset/steps` for numbers of nothing. */
function checkCounts({ epochs, initialEpoch, stepsPerEpoch, validationSteps }: FitConfig): void {
  for (const [name, value] of Object.entries({ epochs, initialEpoch })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue;
    throw new ConvbaseError('training/epochs', `${name} cannot be ${value}`, {
      fix: 'Give a whole number, 0 or more.',
    });
  }
  for (const [name, value] of Object.entries({ stepsPerEpoch, validationSteps })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new ConvbaseError('dataset/steps', `${name} cannot be ${value}`, {
      fix: 'Give a whole number of batches, 1 or more.',
    });
  }
}

/** One unit tells two classes apart; null where the model does not say how many units it ends in. */
function classCount({ outputs }: Network): number | null {
  const units = outputs[0]?.shape.at(-1) ?? null;
  return units === 1 ? 2 : units;
}

function taking(dataset: Dataset, steps: number | undefined): Dataset {
  return steps === undefined ? dataset : takeSteps(dataset, steps);
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
