import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ConvbaseError, issueLines, parseJson } from '@convbase/base';
import { lockHolder, LOCK_FILE, readBounded } from '@convbase/base/node';
import { z } from 'zod';

/** The files of a feature folder. */
export const featureFiles = {
  manifest: 'manifest.json',
  /** float32, one row a picture. */
  features: 'features.npy',
  /** int32, the class of each row. */
  labels: 'labels.npy',
  /** int32, the place of each row's picture in the sorted list of its source. */
  samples: 'samples.npy',
} as const;

/** Room for the names of a million skipped pictures. */
const MAX_BYTES = 1 << 27;

const size = z.number().int().positive();
/** Pictures of 16384 x 16384 pixels are 800 MB as bytes. */
const pixels = size.max(1 << 14);

const recipeSchema = z.object({
  /** Which model made the features, and which of its layers they are the output of. */
  base: z.object({
    /** A model's name, file or `npm:` package, as it was given. */
    model: z.string(),
    /** The weight file as it was given; `null` where the model brings its own or uses its default. */
    weights: z.string().nullable(),
    /** SHA-256 of the weight file: the same features come only from the same weights. */
    checksum: z.string(),
    layer: z.string(),
  }),
  /** What was done to a picture before the model saw it. */
  input: z.object({
    /** Height and width. */
    size: z.tuple([pixels, pixels]),
    preprocess: z.enum(['caffe', 'tf', 'rescale', 'none']),
    resize: z.enum(['nearest', 'bilinear', 'pil-bilinear', 'pad']),
  }),
  /** Where the pictures came from. */
  source: z.object({
    path: z.string(),
    /** SHA-256 over the names of all pictures in order. */
    listing: z.string(),
    samples: z.number().int().nonnegative(),
  }),
  classNames: z.array(z.string()).min(1),
  /** Shape of one picture's features, without the batch. */
  featureShape: z.array(size).min(1),
  /** What lay between the model's layers; float32 when left out. */
  precision: z.enum(['float32', 'mixed']).optional(),
});

const manifestSchema = recipeSchema.extend({
  format: z.literal('convbase-features'),
  version: z.literal(1),
  /** Whether extraction came to its end. */
  complete: z.boolean(),
  /** Names of pictures that could not be read and were left out. */
  skipped: z.array(z.string()),
});

/** With what features were made; two folders go together only where all but the source is the same. */
export type FeatureRecipe = z.infer<typeof recipeSchema>;

/** The `manifest.json` of a feature folder. */
export type FeatureManifest = z.infer<typeof manifestSchema>;

/** The manifest of a folder, whether extraction came to its end or not. */
export async function readAnyManifest(folder: string): Promise<FeatureManifest> {
  const path = join(folder, featureFiles.manifest);
  return parseManifest((await readBounded(path, MAX_BYTES)).toString(), path);
}

/** The manifest of a folder of features. Errors: `features/incomplete`, `features/manifest`, `file/...` */
export async function readManifest(folder: string): Promise<FeatureManifest> {
  const manifest = await readAnyManifest(folder);
  if (manifest.complete) return manifest;
  const holder = await lockHolder(join(folder, LOCK_FILE));
  if (holder !== undefined) {
    throw new ConvbaseError('features/incomplete', `${holder} is still extracting into it`, {
      where: folder,
      fix: 'Wait until it is done.',
    });
  }
  throw new ConvbaseError('features/incomplete', 'the extraction was interrupted', {
    where: folder,
    fix: 'Run the same `convbase extract` again: it goes on where it stopped.',
  });
}

/** Checks the text of a manifest. */
function parseManifest(text: string, where: string): FeatureManifest {
  const fix = 'The folder is not one that `convbase extract` made, or it was altered: extract again.';
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw new ConvbaseError('features/manifest', 'it is not JSON', { where, fix, cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ConvbaseError('features/manifest', issueLines(parsed.error.issues), { where, fix });
}

/** What is in a file of a feature folder, and cannot be. */
export function damagedFile(path: string, what: string): ConvbaseError {
  return new ConvbaseError('features/damaged', what, { where: path, fix: 'Extract the features again.' });
}

/** The first thing in which two recipes differ, in words, or nothing. `source` counts only where asked for. */
export function recipeDifference(
  a: FeatureRecipe,
  b: FeatureRecipe,
  { source }: { source: boolean },
): string | undefined {
  // The same weights are the same model, whatever path they were found at.
  const other = a.base.checksum !== b.base.checksum;
  const pairs: [string, unknown, unknown][] = [
    ['model', other && a.base.model, other && b.base.model],
    ['weights (SHA-256)', other && shortened(a.base.checksum), other && shortened(b.base.checksum)],
    ['layer', a.base.layer, b.base.layer],
    ['picture size', a.input.size, b.input.size],
    ['preprocessing', a.input.preprocess, b.input.preprocess],
    ['resize mode', a.input.resize, b.input.resize],
    ['class names', a.classNames, b.classNames],
    ['feature shape', a.featureShape, b.featureShape],
    ['precision', a.precision ?? 'float32', b.precision ?? 'float32'],
  ];
  for (const [what, left, right] of pairs) {
    const [l, r] = [JSON.stringify(left), JSON.stringify(right)];
    if (l !== r) return `${what}: ${l} and ${r}`;
  }
  return source ? sourceDifference(a.source, b.source) : undefined;
}

function sourceDifference(a: FeatureRecipe['source'], b: FeatureRecipe['source']): string | undefined {
  if (a.listing === b.listing) return undefined;
  if (a.samples !== b.samples) return `number of pictures: ${a.samples} and ${b.samples}`;
  if (a.path !== b.path) return `folder of pictures: ${JSON.stringify(a.path)} and ${JSON.stringify(b.path)}`;
  return 'names of pictures: some were renamed, or others have taken their place';
}

/** Enough of a SHA-256 to tell two apart. */
function shortened(checksum: string): string {
  return checksum.length > 12 ? `${checksum.slice(0, 12)}..` : checksum;
}

/** The SHA-256 of a list of names. */
export function listingChecksum(names: readonly string[]): string {
  return createHash('sha256').update(names.join('\0')).digest('hex');
}
