import { ConvbaseError } from '@convbase/base';
import { afterFailure } from '@convbase/base/node';
import { pictureBatches, subset, type PictureBatch, type PictureDataset } from '@convbase/data';
import { sizeOf, type InputMeter, type Model } from '@convbase/layers';
import { PrefixWriter } from './writer.ts';

/** How long computed outputs may be in memory only: what a power cut can cost. */
const SAVE_EVERY_MS = 5_000;

export interface ComputeOptions {
  readonly batchSize: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly meter?: InputMeter | undefined;
}

/** Outputs could not be written; `cause` says why. What was read and computed is in order. */
export class NotKept extends Error {}

/** Does what writes outputs: what the system says of it is no reason to end a training. */
async function keeping<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConvbaseError && /^(disk|file)\//.test(error.code))) throw error;
    throw new NotKept(error.message, { cause: error });
  }
}

/**
 * Computes the outputs of all pictures in the set's order into the folder of this key, going on with what is there.
 * Whatever ends it early, what was computed so far is kept, but for what cannot be written: then nothing of it stays, and it
 * throws `NotKept`. Returns how many were computed now.
 */
export async function computePrefix(
  prefix: Model,
  dataset: PictureDataset,
  root: string,
  key: string,
  { batchSize, onProgress, signal, meter }: ComputeOptions,
): Promise<number> {
  const { set, options } = dataset;
  const shapes = outputShapes(prefix, pictureShape(prefix, dataset));
  const writer = await keeping(() => PrefixWriter.open(root, key, shapes, batchSize));
  const first = writer.nextSample;
  const before = writer.rowCount;
  onProgress?.(first, set.length);
  // A memory knows the set itself, not a part of it.
  const { shuffle: _, seed: __, onSkip, memory, ...reading } = options;
  const places = Array.from({ length: set.length - first }, (_, i) => first + i);
  const rest = first === 0 ? set : subset(set, places);
  const pictures = pictureBatches(rest, {
    ...reading,
    ...(memory && first === 0 && { memory }),
    batchSize,
    allowNone: before > 0,
    onSkip: (error, index) => onSkip?.(error, first + index),
    ...(signal && { signal }),
  });
  try {
    let saved = Date.now();
    for await (const { batch, outputs } of prefix.predictBatches(pictures, {
      ...(signal && { signal }),
      ...(meter && { meter }),
    })) {
      // predictBatches hands back the very objects it was given.
      const samples = Int32Array.from((batch as PictureBatch).indices, (index) => first + index);
      const rows = outputs.map(({ data }) => data as Float32Array);
      await keeping(() => writer.append(rows, samples));
      onProgress?.(writer.nextSample, set.length);
      if (Date.now() - saved < SAVE_EVERY_MS) continue;
      await keeping(() => writer.flush());
      saved = Date.now();
    }
    const computed = writer.rowCount - before;
    const done = new Set(await writer.samples());
    const skipped: { index: number; name: string }[] = [];
    for (let index = 0; index < set.length; index++) {
      if (!done.has(index)) skipped.push({ index, name: set.name(index) });
    }
    await keeping(() => writer.commit(skipped));
    onProgress?.(set.length, set.length);
    return computed;
  } catch (error) {
    // On a full disk the room is of more use to who trains.
    await afterFailure(() => (error instanceof NotKept ? writer.discard() : writer.pause()));
    throw error;
  }
}

/** The shape of one of the dataset's pictures. */
export function pictureShape(prefix: Model, { options }: PictureDataset): readonly number[] {
  return [options.size.height, options.size.width, prefix.inputs[0]?.shape.at(-1) ?? 3];
}

/** What the outputs for a picture of this shape take. */
export function bytesPerPicture(prefix: Model, picture: readonly number[]): number {
  return outputShapes(prefix, picture).reduce((sum, shape) => sum + 4 * sizeOf(shape), 0);
}

/** The shape of each output for one picture. */
function outputShapes(prefix: Model, picture: readonly number[]): number[][] {
  return prefix.outputShapes([[1, ...picture]]).map((shape) =>
    shape.slice(1).map((size) => {
      if (size !== null) return size;
      throw new ConvbaseError('prefix/shape', 'an output of its frozen part has no fixed shape', {
        where: prefix.name,
      });
    }),
  );
}
