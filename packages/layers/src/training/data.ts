import { ConvbaseError } from '@convbase/base';
import { checkBatchSize, slices } from '../datasets/arrays.ts';
import { SampleDataset } from '../datasets/datasets.ts';
import { fromTensorSlices } from '../datasets/sources.ts';
import { nameOf, type ArrayInput, type Dataset } from '../tensor/host-array.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { SampleArrays } from './check-batch.ts';

/** One array, or one for each input of a model with several. */
export type Inputs = ArrayInput | readonly ArrayInput[];

/** What to validate on, as Keras' tuple. */
export type ValidationArrays = readonly [x: Inputs, y: ArrayInput, sampleWeight?: ArrayInput];

/** How many samples of arrays are computed at once, as in Keras. */
const defaultBatchSize = 32;

/** How arrays become the batches of a training. */
export interface ArrayOptions {
  /** How many samples make a step; 32 when left out. */
  readonly batchSize?: number;
  /** Whether every epoch has an order of its own; true when left out. */
  readonly shuffle?: boolean;
  /** Decides the orders together with the numbers of the epochs; 0 when left out. */
  readonly seed?: number;
  /**
   * The share of the samples, from 0 to 1, that is not trained on but validated on: the last ones, taken before anything
   * is shuffled. Without effect where `validationData` is given.
   */
  readonly validationSplit?: number;
  /** `[n]`: what each sample's loss is multiplied by. */
  readonly sampleWeight?: ArrayInput;
}

const arrayOptions = ['batchSize', 'shuffle', 'seed', 'validationSplit', 'sampleWeight'] as const;

/** Whether something is a dataset. Throws `dataset/unbatched` for one of samples that are in no batches yet. */
export function isDataset(data: unknown): data is Dataset {
  if (data instanceof SampleDataset) {
    throw new ConvbaseError('dataset/unbatched', 'the dataset gives single samples', {
      fix: 'Put them into batches: dataset.batch(32).',
    });
  }
  return data !== null && typeof data === 'object' && 'batches' in data && typeof data.batches === 'function';
}

/** The second argument beside a dataset. Throws `dataset/options` for labels, and for options of arrays. */
export function datasetConfig<C extends object>(
  second: ArrayInput | C | undefined,
  third: object,
  where: string,
): C {
  const isLabels =
    second instanceof Tensor || Array.isArray(second) || (second !== undefined && 'data' in second);
  const wrong = isLabels ? 'labels' : arrayOptions.find((name) => name in { ...second, ...third });
  if (wrong === undefined) return (second ?? {}) as C;
  throw new ConvbaseError('dataset/options', `${wrong} cannot be given beside a dataset, which has its own`, {
    where,
    fix: 'Give arrays in place of the dataset, or have it done where the dataset is made.',
  });
}

/**
 * The batches to train on, and those of `validationSplit`.
 *
 * @throws ConvbaseError as `fromTensorSlices`; `labels/missing`, `batches/size`, `dataset/count` for a seed that is none,
 *   `training/validation-split` for a share that leaves one of the two without samples
 */
export function trainingData(
  x: Inputs,
  y: ArrayInput | undefined,
  options: ArrayOptions,
  where: string,
): { readonly dataset: Dataset; readonly validationData: Dataset | undefined } {
  const { batchSize = defaultBatchSize, shuffle = true, seed = 0, validationSplit = 0 } = options;
  checkBatchSize(batchSize, where);
  const samples = fromTensorSlices(labelled(x, y, options.sampleWeight, where));
  const count = samples.sampleCount ?? 0;
  const trained = splitAt(count, validationSplit, where);
  const part = samples.take(trained);
  return {
    dataset: (shuffle ? part.shuffle(trained, seed) : part).batch(batchSize),
    validationData: trained < count ? samples.skip(trained).batch(batchSize) : undefined,
  };
}

/** The batches to evaluate on. Throws as `trainingData`. */
export function evaluationData(
  x: Inputs,
  y: ArrayInput | undefined,
  { batchSize = defaultBatchSize, sampleWeight }: Pick<ArrayOptions, 'batchSize' | 'sampleWeight'>,
  where: string,
): Dataset {
  return slices(labelled(x, y, sampleWeight, where), batchSize, where);
}

/** The batches to validate on. Throws as `trainingData`. */
export function validationSet(
  data: Dataset | ValidationArrays | undefined,
  batchSize: number | undefined,
  where: string,
): Dataset | undefined {
  if (data === undefined || isDataset(data)) return data;
  if (!Array.isArray(data) || data.length < 2 || data.length > 3) {
    throw new ConvbaseError('training/validation-data', `${nameOf(data)} cannot be validated on`, {
      where,
      fix: 'Give a dataset, or [x, y] or [x, y, sampleWeight].',
    });
  }
  const [x, y, sampleWeight] = data as ValidationArrays;
  const options = { ...(batchSize !== undefined && { batchSize }), ...(sampleWeight && { sampleWeight }) };
  return evaluationData(x, y, options, where);
}

/** The batches to predict from. Throws as `trainingData`. */
export function predictionData(data: Dataset | Inputs, batchSize = defaultBatchSize, where: string): Dataset {
  return isDataset(data) ? data : slices({ x: data }, batchSize, where);
}

function labelled(
  x: Inputs,
  y: ArrayInput | undefined,
  sampleWeight: ArrayInput | undefined,
  where: string,
): SampleArrays {
  if (y === undefined) {
    throw new ConvbaseError('labels/missing', 'there are no labels', {
      where,
      fix: 'Give y beside x: fit(x, y), evaluate(x, y).',
    });
  }
  return { x, y, ...(sampleWeight !== undefined && { sampleWeight }) };
}

/** How many samples are left to train on, as Keras counts them. */
function splitAt(count: number, share: number, where: string): number {
  const trained = Math.floor(count * (1 - share));
  if (share === 0 || (share > 0 && share < 1 && trained > 0 && trained < count)) return trained;
  throw new ConvbaseError(
    'training/validation-split',
    `${count} samples cannot be split into some to train on and some to validate on by ${String(share)}`,
    { where, fix: 'Give a share between 0 and 1, or more samples.' },
  );
}
