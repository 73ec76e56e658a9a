import { relative } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import {
  Features,
  FeatureWriter,
  listingChecksum,
  pictureBatches,
  subset,
  type FeatureManifest,
  type FeatureRecipe,
  type PictureBatch,
  type PictureSet,
} from '@convbase/data';
import type { InputMeter } from '@convbase/layers';
import { extractFeatures, featureShape, type FeatureBatch } from '@convbase/models';
import { untilStopped } from '../terminal/interrupt.ts';
import type { Progress } from '../terminal/progress.ts';
import type { BaseWithInput } from './base-options.ts';

export interface Extraction extends BaseWithInput {
  readonly gpu: Gpu;
  readonly batchSize: number;
  readonly onBadImage: 'refuse' | 'skip';
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Told what is waited for. */
  readonly meter: InputMeter;
}

/** Features of a set's pictures from `first` on, batch by batch, with progress. */
export async function* extractBatches(
  set: PictureSet,
  { base, input, gpu, batchSize, onBadImage, progress, signal, meter }: Extraction,
  first = 0,
): AsyncGenerator<FeatureBatch<PictureBatch>> {
  progress.update(first, set.length);
  if (first >= set.length) return;
  const places = Array.from({ length: set.length - first }, (_, i) => first + i);
  const [height, width] = input.size;
  const pictures = pictureBatches(subset(set, places), {
    size: { height, width },
    batchSize,
    resize: input.resize,
    preprocess: input.preprocess,
    onBadImage,
    allowNone: first > 0,
    onSkip: (error) => {
      progress.say(`skipped: ${error.message.split('\n')[0] ?? ''}`);
    },
    signal,
  });
  for await (const result of extractFeatures(base, gpu, pictures.batches(0), { signal, meter })) {
    progress.update(first + (result.batch.indices.at(-1) ?? 0) + 1, set.length);
    yield result;
  }
  progress.update(set.length, set.length);
}

/** What lies in a folder of features. */
export interface Extracted {
  readonly manifest: FeatureManifest;
  readonly rows: number;
  readonly alreadyComplete: boolean;
}

/** How long computed features may be in memory only; what a power cut or a second Ctrl-C can cost. */
const SAVE_EVERY_MS = 10_000;

/** What makes features into a folder; a GPU is opened only once the folder is ready for them. */
export interface FolderExtraction extends Omit<Extraction, 'gpu'> {
  readonly withGpu: <T>(job: (gpu: Gpu) => Promise<T>) => Promise<T>;
}

/**
 * Writes the features of a set into a folder, going on where an earlier run stopped; nothing happens to a folder that
 * is complete. Whatever ends it early, what was computed so far is kept.
 */
export async function extractToFolder(
  set: PictureSet,
  sourcePath: string,
  folder: string,
  { withGpu, ...extraction }: FolderExtraction,
): Promise<Extracted> {
  const { progress, signal } = extraction;
  const writer = await openWriter(folder, recipeOf(set, sourcePath, extraction));
  if (!writer) return complete(folder);
  try {
    await withGpu((gpu) => computeRows(set, writer, { ...extraction, gpu }));
  } catch (error) {
    // The error is what to tell; where it is a full disk, pausing meets it again.
    const isKept = await writer.pause().then(
      () => true,
      () => false,
    );
    if (isKept && signal.aborted) {
      progress.say(`stopped after ${writer.nextSample} of ${set.length} pictures; the same command goes on`);
    }
    throw error;
  }
  progress.stop();
  const rows = writer.rowCount;
  return { manifest: await writer.commit((sample) => set.name(sample)), rows, alreadyComplete: false };
}

/** Computes the rows that a folder lacks. */
async function computeRows(set: PictureSet, writer: FeatureWriter, extraction: Extraction): Promise<void> {
  const { progress, signal } = extraction;
  const first = writer.nextSample;
  if (first > 0) progress.say(`going on after ${first} pictures that are done already`);
  const batches = extractBatches(set, extraction, first);
  let saved = Date.now();
  for (;;) {
    // Ctrl-C does not wait for a batch that is still being computed.
    const next = await untilStopped(batches.next(), signal);
    if (next.done) break;
    const { features, batch } = next.value;
    const samples = Int32Array.from(batch.indices, (index) => first + index);
    await writer.append(
      features,
      samples.map((sample) => set.label(sample)),
      samples,
    );
    if (Date.now() - saved < SAVE_EVERY_MS) continue;
    await writer.flush();
    saved = Date.now();
  }
}

function recipeOf(set: PictureSet, path: string, { base, input }: BaseWithInput): FeatureRecipe {
  const names = Array.from({ length: set.length }, (_, i) => relative(path, set.name(i)));
  return {
    base: { model: base.spec, weights: base.weights, checksum: base.checksum, layer: base.layer },
    input: { ...input },
    source: { path, listing: listingChecksum(names), samples: set.length },
    classNames: [...set.classNames],
    featureShape: featureShape(base, input.size),
    ...(base.model.precision !== 'float32' && { precision: base.model.precision }),
  };
}

async function complete(folder: string): Promise<Extracted> {
  const features = await Features.open(folder);
  await features.close();
  return { manifest: features.manifest, rows: features.rowCount, alreadyComplete: true };
}

/** Nothing where the folder is complete. */
async function openWriter(folder: string, recipe: FeatureRecipe): Promise<FeatureWriter | undefined> {
  try {
    return await FeatureWriter.open(folder, recipe);
  } catch (error) {
    if (error instanceof ConvbaseError && error.code === 'features/complete') return undefined;
    throw error;
  }
}
