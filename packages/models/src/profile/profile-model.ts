import { ConvbaseError } from '@convbase/base';
import type { AdapterDescription, Gpu, ProfileEvent } from '@convbase/core-gpu';
import type { Batch, Model, Precision } from '@convbase/layers';
import { randomBatch } from './random-batch.ts';
import { sumByKernel, sumByLayer, type KernelSum, type LayerSum } from './sums.ts';

export interface ProfileOptions {
  /** Pictures at once. Default 1. */
  readonly batchSize?: number;
  /** A training step instead of a prediction; the model must have been compiled. Default false. */
  readonly train?: boolean;
  /** Runs after the warm-up; the one with the middle GPU time is shown. Default 3. */
  readonly runs?: number;
  readonly signal?: AbortSignal;
  /** Told before each run, the warm-up being run 0. */
  readonly onRun?: (run: number, runs: number) => void;
}

/** Where the time of one run of a model goes. */
export interface ModelProfile {
  readonly adapter: AdapterDescription;
  readonly model: string;
  readonly train: boolean;
  readonly precision: Precision;
  readonly trainableWeights: number;
  readonly batchSize: number;
  /** Of one picture. */
  readonly inputShape: readonly number[];
  readonly runs: number;
  /** Upload, computation and reading of the result. Measuring every kernel by itself makes it longer than usual. */
  readonly wallMilliseconds: number;
  readonly layers: readonly LayerSum[];
  readonly kernels: readonly KernelSum[];
  /** Every dispatch, in order. */
  readonly events: readonly ProfileEvent[];
}

/**
 * Runs a model on random pictures and measures every kernel with the GPU's own clock.
 *
 * @param gpu opened with `profile: 'events'`
 * @param model with a known input size; with any weights, they do not change the time
 * @throws ConvbaseError `profile/timestamps` where the adapter has no timestamps, `profile/shape` for an input of open size
 */
export async function profileModel(
  gpu: Gpu,
  model: Model,
  options: ProfileOptions = {},
): Promise<ModelProfile> {
  const { batchSize = 1, train = false, runs = 3, signal, onRun } = options;
  if (!gpu.features.has('timestamp-query')) {
    throw new ConvbaseError('profile/timestamps', 'the adapter cannot measure kernels', {
      where: gpu.adapter.name,
      fix: 'Open the GPU with profile: true; where that does not help, use another adapter.',
    });
  }
  const batch = randomBatch(model, batchSize);
  model.to(gpu);
  const measured: { events: ProfileEvent[]; nanoseconds: number; wallMilliseconds: number }[] = [];
  for (let run = 0; run <= runs; run++) {
    signal?.throwIfAborted();
    onRun?.(run, runs);
    const from = performance.now();
    await runOnce(model, batch, train);
    const wallMilliseconds = performance.now() - from;
    const events = await gpu.takeProfileEvents();
    const nanoseconds = events.reduce((sum, event) => sum + event.nanoseconds, 0);
    // The first run compiles and uploads the weights.
    if (run > 0) measured.push({ events, nanoseconds, wallMilliseconds });
  }
  measured.sort((a, b) => a.nanoseconds - b.nanoseconds);
  const middle = measured[Math.floor((measured.length - 1) / 2)];
  if (middle === undefined) throw new RangeError(`${runs} runs cannot be measured`);
  return {
    adapter: gpu.adapter,
    model: model.name,
    train,
    precision: model.precision,
    trainableWeights: model.trainableWeights.length,
    batchSize,
    inputShape: batch.x.shape.slice(1),
    runs,
    wallMilliseconds: middle.wallMilliseconds,
    layers: sumByLayer(middle.events),
    kernels: sumByKernel(middle.events),
    events: middle.events,
  };
}

async function runOnce(model: Model, batch: Batch, train: boolean): Promise<void> {
  if (train) await model.trainOnBatch(batch);
  else await model.predictOnBatch(batch.x);
}
