import { ConvbaseError } from '@convbase/base';
import { batchesOf } from '../tensor/batches-of.ts';
import type { ArrayInput, Dataset, HostArray } from '../tensor/host-array.ts';
import { lookahead, Pace } from './batches.ts';
import { datasetConfig, evaluationData, isDataset, type ArrayOptions, type Inputs } from './data.ts';
import type { InputMeter } from './input-meter.ts';
import type { Network } from './network.ts';
import { checkLoss, recordEvaluationStep } from './step.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Totals } from './totals.ts';

export interface EvaluateConfig {
  readonly signal?: AbortSignal;
  /** Told what is waited for. */
  readonly meter?: InputMeter;
  /** Given the predictions of each batch in order, for which the samples need not pass through the model again. */
  readonly onPredictions?: (predictions: HostArray) => void;
}

/** For arrays. */
export interface EvaluateArraysConfig
  extends EvaluateConfig, Pick<ArrayOptions, 'batchSize' | 'sampleWeight'> {}

/** Loss and metrics over a dataset, or over arrays and their labels, as means over its samples, in inference mode. */
export async function evaluate(
  network: Network,
  data: Dataset | Inputs,
  labelsOrConfig?: ArrayInput | EvaluateConfig,
  arraysConfig: EvaluateArraysConfig = {},
): Promise<Record<string, number>> {
  if (isDataset(data)) {
    return evaluateDataset(network, data, datasetConfig(labelsOrConfig, arraysConfig, network.name));
  }
  const labels = labelsOrConfig as ArrayInput | undefined;
  return evaluateDataset(network, evaluationData(data, labels, arraysConfig, network.name), arraysConfig);
}

async function evaluateDataset(
  network: Network,
  dataset: Dataset,
  { signal, meter, onPredictions }: EvaluateConfig,
): Promise<Record<string, number>> {
  checkLoss(network);
  const { gpu, compiled } = network;
  const totals = new Totals(gpu, compiled.metrics);
  const pace = new Pace(meter);
  let number = 0;
  // One reads after the other, so that they come in order.
  let told: Promise<void> = Promise.resolve();
  const tell = (predictions: Tensor): void => {
    const data = predictions.data();
    const before = told;
    told = data.then(async (values) => {
      await before;
      onPredictions?.({ data: values, shape: predictions.shape });
    });
    told.catch(() => undefined); // reported when it is waited for
  };
  try {
    for await (const batch of lookahead(batchesOf(dataset, 0), signal, meter)) {
      const keep = onPredictions && tell;
      recordEvaluationStep(network, batch, totals, { keep, place: `batch ${++number}` });
      await pace.add(onPredictions === undefined ? gpu.idle() : told);
    }
    await told;
    if (totals.samples === 0) {
      throw new ConvbaseError('dataset/empty', 'the dataset gave no batches', { where: network.name });
    }
    return await totals.read();
  } finally {
    // Also when an earlier batch failed on the GPU, which shows here.
    await pace.drain().finally(() => {
      totals.dispose();
    });
  }
}
