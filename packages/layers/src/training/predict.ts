import { ConvbaseError } from '@convbase/base';
import { CallContext } from '../layers/context.ts';
import { batchesOf } from '../tensor/batches-of.ts';
import type { Batch, Dataset, HostArray } from '../tensor/host-array.ts';
import { readTensors } from '../tensor/tensor.ts';
import { lookahead } from './batches.ts';
import { predictionData, type Inputs } from './data.ts';
import type { InputMeter } from './input-meter.ts';
import { uploadInputs } from './inputs.ts';
import type { Network } from './network.ts';
import { outputsOf } from './precision.ts';

/** A batch and what the model made of it. */
export interface PredictedBatch {
  readonly batch: Batch;
  readonly outputs: readonly HostArray[];
}

export interface PredictConfig {
  readonly signal?: AbortSignal;
  /** Told what is waited for. */
  readonly meter?: InputMeter;
}

export interface PredictArrayConfig extends PredictConfig {
  /** How many samples of an array are computed at once; 32 when left out, as in Keras. A dataset has its own. */
  readonly batchSize?: number;
}

/** Everything but the batch dimension is equal from batch to batch; the outputs are joined along it. */
export async function predict(
  network: Network,
  data: Dataset | Inputs,
  config: PredictArrayConfig = {},
): Promise<HostArray> {
  if (network.outputs.length !== 1) {
    throw new ConvbaseError(
      'predict/outputs',
      `the model has ${network.outputs.length} outputs, predict() returns one`,
      {
        where: network.name,
        fix: 'Use predictBatches() or predictOnBatch().',
      },
    );
  }
  const dataset = predictionData(data, config.batchSize, network.name);
  const parts: HostArray[] = [];
  for await (const { outputs } of predictBatches(network, dataset, config)) parts.push(...outputs);
  return join(parts, network.name);
}

/**
 * The outputs batch by batch. The GPU works on one batch while the one before it is read back and the next is being
 * made.
 */
export async function* predictBatches(
  network: Network,
  dataset: Dataset,
  { signal, meter }: PredictConfig = {},
): AsyncGenerator<PredictedBatch> {
  let pending: Promise<PredictedBatch> | null = null;
  let number = 0;
  try {
    for await (const batch of lookahead(batchesOf(dataset, 0), signal, meter)) {
      const next = computed(network, batch.x, `batch ${++number}`).then((outputs) => ({ batch, outputs }));
      next.catch(() => undefined); // reported when it is waited for
      meter?.handed(next);
      const done = pending;
      pending = next;
      if (done !== null) yield await done;
    }
    if (pending !== null) yield await pending;
  } finally {
    // A consumer that stops early must not leave a read behind that outlives the GPU.
    await pending?.catch(() => undefined);
  }
}

/**
 * The outputs for one array (or one for each input), in inference mode. Everything is recorded, and given back, before
 * the first wait: so every batch of one size runs in the same buffers, however many are on their way.
 */
export async function predictOnBatch(network: Network, x: Batch['x']): Promise<readonly HostArray[]> {
  return computed(network, x);
}

async function computed(network: Network, x: Batch['x'], place?: string): Promise<readonly HostArray[]> {
  const { read, shapes } = record(network, x, place);
  const values = await read;
  return values.map((data, index) => ({ data, shape: shapes[index] ?? [] }));
}

function record(
  network: Network,
  x: Batch['x'],
  place?: string,
): { readonly read: Promise<Float32Array[]>; readonly shapes: readonly (readonly number[])[] } {
  const owned = uploadInputs(network, { x }, place);
  try {
    const outputs = outputsOf(network, owned, new CallContext(network.gpu));
    owned.push(...outputs);
    return { read: readTensors(outputs), shapes: outputs.map(({ shape }) => shape) };
  } finally {
    for (const value of owned) value.dispose();
  }
}

function join(parts: readonly HostArray[], where: string): HostArray {
  const [first, ...others] = parts;
  if (first === undefined) throw new ConvbaseError('dataset/empty', 'the dataset gave no batches', { where });
  if (others.length === 0) return first;
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let offset = 0;
  let rows = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
    rows += part.shape[0] ?? 0;
  }
  return { data, shape: [rows, ...first.shape.slice(1)] };
}
