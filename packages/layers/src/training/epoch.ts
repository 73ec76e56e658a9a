import { ConvbaseError } from '@convbase/base';
import { batchesOf } from '../tensor/batches-of.ts';
import type { Dataset } from '../tensor/host-array.ts';
import { lookahead, Pace, throwIfAborted } from './batches.ts';
import type { Callback, Logs } from './callbacks.ts';
import { evaluate } from './evaluate.ts';
import type { InputMeter } from './input-meter.ts';
import type { Network } from './network.ts';
import type { FitPosition } from './position.ts';
import { recordTrainingStep } from './step.ts';
import { Totals } from './totals.ts';

/** Seconds between two progress updates, each of which reads a few bytes back. */
const progressSeconds = 0.25;

/** What stays the same from epoch to epoch. */
export interface TrainingRun {
  readonly network: Network;
  readonly dataset: Dataset;
  readonly validationData: Dataset | undefined;
  readonly validationModel: Network;
  readonly epochs: number;
  readonly callbacks: readonly Callback[];
  readonly signal: AbortSignal | undefined;
  readonly meter: InputMeter | undefined;
}

/** Trains (the rest of) one epoch and evaluates; the means of the epoch. */
export async function trainEpoch(run: TrainingRun, from: FitPosition): Promise<Logs> {
  const { network, validationData, validationModel, callbacks, signal, meter } = run;
  const { epoch } = from;
  const evaluation = { ...(signal && { signal }), ...(meter && { meter }) };
  const totals = new Totals(network.gpu, network.compiled.metrics, from.totals);
  let batch = from.batch;
  const position = async (): Promise<FitPosition> => ({ epoch, batch, totals: await totals.save() });
  try {
    throwIfAborted(signal);
    for (const callback of callbacks) await callback.onEpochBegin?.(epoch);
    await trainBatches(run, totals, from, position, () => ++batch);
    await network.compiled.optimizer.settle(network.precision === 'mixed');
    const logs = await totals.read();
    if (validationData !== undefined) {
      const results = await evaluate(validationModel, validationData, evaluation);
      for (const [key, value] of Object.entries(results)) logs[`val_${key}`] = value;
    }
    return logs;
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
    const stoppedAt = await position();
    for (const callback of callbacks) await callback.onAbort?.(stoppedAt);
    throwIfAborted(signal);
    throw error;
  } finally {
    totals.dispose();
  }
}

async function trainBatches(
  run: TrainingRun,
  totals: Totals,
  from: FitPosition,
  position: () => Promise<FitPosition>,
  advance: () => number,
): Promise<void> {
  const { network, dataset, callbacks, signal, epochs, meter } = run;
  const { gpu } = network;
  const { epoch } = from;
  const { batchCount } = dataset;
  const pace = new Pace(meter);
  const watchers = callbacks.filter((callback) => callback.onProgress !== undefined);
  const read = (): Promise<Logs> => totals.read();
  let done = from.batch;
  let lastUpdate = performance.now();
  try {
    for await (const batch of lookahead(batchesOf(dataset, epoch, from.batch), signal, meter)) {
      recordTrainingStep(network, batch, totals, `batch ${done + 1} of epoch ${epoch + 1}`);
      await pace.add(gpu.idle());
      done = advance();
      for (const callback of callbacks) await callback.onBatchEnd?.(epoch, done - 1, position, read);
      if (watchers.length > 0 && performance.now() - lastUpdate > progressSeconds * 1000) {
        const { samples } = totals;
        const logs = await totals.read();
        for (const callback of watchers) {
          await callback.onProgress?.({ epoch, epochs, batch: done, batchCount, samples, logs });
        }
        lastUpdate = performance.now();
      }
      throwIfAborted(signal);
      if (network.stopTraining) break;
    }
    if (done === 0) {
      throw new ConvbaseError('dataset/empty', `the dataset gave no batches in epoch ${epoch + 1}`, {
        where: network.name,
        fix: 'Every call of its batches() has to give them anew; a generator that has been read gives nothing more.',
      });
    }
  } finally {
    // Also when an earlier batch failed on the GPU, which shows here.
    await pace.drain();
  }
}

/** Whether an error only says that the signal stopped the work: ours, or the signal's own reason from a dataset. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted !== true) return false;
  return error === signal.reason || (error instanceof ConvbaseError && error.code === 'run/aborted');
}
