import type { Gpu } from '@convbase/core-gpu';
import {
  FeatureWriter,
  listingChecksum,
  pictureBatches,
  subset,
  type FeatureRecipe,
  type PictureSet,
} from '@convbase/data';
import { ConvbaseError } from '@convbase/base';
import type { Base } from '@convbase/models';
import type { Progress } from '../terminal/progress.ts';
import type { InputConfig } from './base-options.ts';

export interface ExtractionOptions {
  readonly gpu: Gpu;
  readonly base: Base;
  readonly set: PictureSet;
  readonly input: InputConfig;
  readonly batchSize: number;
  readonly onBadImage: 'refuse' | 'skip';
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Features of one batch of pictures with their labels and their places in the set. */
export interface ExtractedBatch {
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly samples: Int32Array;
}

/** Shape of one picture's features. */
export function featureShape(base: Base, [height, width]: readonly [number, number]): number[] {
  const channels = base.model.inputs[0]?.shape[3] ?? 3;
  const [shape = []] = base.model.outputShapes([[null, height, width, channels]]);
  return shape.slice(1).map((size) => {
    if (size === null)
      throw new ConvbaseError('base/shape', `the shape of layer '${base.layer}' is open`, {
        where: base.spec,
      });
    return size;
  });
}

/** Features of the pictures from `first` on, batch by batch. */
export async function* extractBatches(
  options: ExtractionOptions,
  first: number,
  onSkip: (name: string) => void,
): AsyncGenerator<ExtractedBatch> {
  const { set, base, input, progress, signal } = options;
  base.model.to(options.gpu);
  if (first >= set.length) return;
  const places = Array.from({ length: set.length - first }, (_, i) => first + i);
  const [height, width] = input.size;
  const pictures = pictureBatches(subset(set, places), {
    size: { height, width },
    batchSize: options.batchSize,
    resize: input.resize,
    preprocess: input.preprocess,
    onBadImage: options.onBadImage,
    onSkip: (error) => {
      progress.say(`skipped: ${error.message}`);
      onSkip(error.where ?? error.message);
    },
    signal,
  });
  const indices: (readonly number[])[] = [];
  // The pictures' places travel beside the batches, in the same order.
  async function* batches(): ReturnType<typeof pictures.batches> {
    for await (const batch of pictures.batches(0)) {
      indices.push(batch.indices);
      yield batch;
    }
  }
  for await (const { outputs } of base.model.predictBatches({ batches }, { signal })) {
    const samples = Int32Array.from(indices.shift() ?? [], (index) => first + index);
    const features = outputs[0]?.data;
    if (!(features instanceof Float32Array)) throw new Error('a model must give float32 features');
    progress.update((samples.at(-1) ?? 0) + 1, set.length);
    yield { features, labels: samples.map((sample) => set.label(sample)), samples };
  }
  progress.update(set.length, set.length);
}

/** Writes the features of a set into a folder, going on where an earlier run stopped. */
export async function extractToFolder(
  options: ExtractionOptions,
  folder: string,
  sourcePath: string,
): Promise<FeatureRecipe & { rows: number; skipped: readonly string[] }> {
  const { base, input, set, signal } = options;
  const names = Array.from({ length: set.length }, (_, i) => set.name(i));
  const recipe: FeatureRecipe = {
    base: { model: base.spec, weights: base.weights, checksum: base.checksum, layer: base.layer },
    input: { size: input.size, preprocess: input.preprocess, resize: input.resize },
    source: { path: sourcePath, listing: listingChecksum(names), samples: set.length },
    classNames: [...set.classNames],
    featureShape: featureShape(base, input.size),
  };
  const writer = await FeatureWriter.open(folder, recipe);
  if (writer.rowCount > 0)
    options.progress.say(`going on after ${writer.rowCount} pictures that are done already`);
  try {
    let unsaved = 0;
    for await (const batch of extractBatches(options, writer.nextSample, (name) => {
      writer.skip(name);
    })) {
      await writer.append(batch.features, batch.labels, batch.samples);
      unsaved += batch.samples.length;
      if (unsaved >= 256) {
        await writer.flush();
        unsaved = 0;
      }
    }
    signal.throwIfAborted();
    const rows = writer.rowCount;
    const { skipped } = await writer.commit();
    return { ...recipe, rows, skipped };
  } catch (error) {
    await writer.pause().catch(() => undefined);
    throw error;
  }
}
