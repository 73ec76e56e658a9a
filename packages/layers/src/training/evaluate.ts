import { ConvbaseError } from '@convbase/base';
import type { Dataset } from '../tensor/host-array.ts';
import { lookahead, Pace } from './batches.ts';
import type { Network } from './network.ts';
import { checkLoss, recordEvaluationStep } from './step.ts';
import { Totals } from './totals.ts';

/** Loss and metrics over a dataset, as means over its samples, in inference mode. */
export async function evaluate(
  network: Network,
  dataset: Dataset,
  config: { signal?: AbortSignal } = {},
): Promise<Record<string, number>> {
  checkLoss(network);
  const { gpu, compiled } = network;
  const totals = new Totals(gpu, compiled.metrics);
  const pace = new Pace();
  try {
    for await (const batch of lookahead(dataset.batches(0), config.signal)) {
      recordEvaluationStep(network, batch, totals);
      await pace.add(gpu.idle());
    }
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
