import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvbaseError, visibleJson } from '@convbase/base';
import { fileError, writeFileAtomic } from '@convbase/base/node';
import { NpyWriter } from '../npy/write.ts';
import { type FeatureManifest, type FeatureRecipe, parseManifest, recipeDifference } from './manifest.ts';

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

/**
 * Writes a feature folder and goes on with an unfinished one.
 *
 * The manifest is written first; features, labels and sample numbers grow beside each other, and `flush` makes the
 * rows so far safe. A folder made with another recipe is refused.
 */
export class FeatureWriter {
  readonly folder: string;
  readonly #manifest: FeatureManifest;
  readonly #features: NpyWriter;
  readonly #labels: NpyWriter;
  readonly #samples: NpyWriter;
  readonly #skipped: Set<string>;

  private constructor(
    folder: string,
    manifest: FeatureManifest,
    writers: readonly [NpyWriter, NpyWriter, NpyWriter],
    nextSample: number,
  ) {
    this.folder = folder;
    this.#manifest = manifest;
    [this.#features, this.#labels, this.#samples] = writers;
    this.#skipped = new Set(manifest.skipped);
    this.nextSample = nextSample;
  }

  /** The first picture (place in the sorted list) that is not in the folder yet. */
  nextSample: number;

  /**
   * Looks whether features of this recipe can go into a folder, and changes nothing. The manifest of those that are there
   * already, where `open` would go on.
   *
   * Errors: `features/mix` where the folder holds features of another recipe, `features/complete` where it is done,
   * `features/in-the-way` where something else is in it, `file/...`.
   */
  static async check(folder: string, recipe: FeatureRecipe): Promise<FeatureManifest | undefined> {
    const path = join(folder, featureFiles.manifest);
    const existing = existsSync(path) ? parseManifest(await readText(path), path) : undefined;
    if (existing) {
      const difference = recipeDifference(existing, recipe, { source: true });
      if (difference !== undefined) {
        throw new ConvbaseError('features/mix', `it holds features made in another way (${difference})`, {
          where: folder,
          fix: 'Choose another --out folder, or remove this one first.',
        });
      }
      if (existing.complete) {
        throw new ConvbaseError('features/complete', 'these features are complete already', {
          where: folder,
          fix: 'Nothing is left to do. Remove the folder to extract them again.',
        });
      }
    } else await refuseOtherFiles(folder);
    return existing;
  }

  /** Starts a folder or goes on with one. Errors: those of `check`. */
  static async open(folder: string, recipe: FeatureRecipe): Promise<FeatureWriter> {
    const existing = await FeatureWriter.check(folder, recipe);
    const manifest: FeatureManifest = {
      format: 'convbase-features',
      version: 1,
      ...recipe,
      complete: false,
      skipped: existing?.skipped ?? [],
    };
    if (!existing) await writeManifest(folder, manifest);
    const features = await NpyWriter.open(
      join(folder, featureFiles.features),
      'float32',
      recipe.featureShape,
    );
    const labels = await NpyWriter.open(join(folder, featureFiles.labels), 'int32', []);
    const samples = await NpyWriter.open(join(folder, featureFiles.samples), 'int32', []);
    // A crash between two flushes leaves the files a few rows apart.
    const rows = Math.min(features.rowCount, labels.rowCount, samples.rowCount);
    for (const writer of [features, labels, samples]) await writer.truncate(rows);
    const last = rows === 0 ? -1 : Number((await samples.lastRow())[0]);
    return new FeatureWriter(folder, manifest, [features, labels, samples], last + 1);
  }

  get rowCount(): number {
    return this.#features.rowCount;
  }

  /** Adds the features of pictures in the order of their sample numbers. */
  async append(features: Float32Array, labels: Int32Array, samples: Int32Array): Promise<void> {
    await this.#features.append(features);
    await this.#labels.append(labels);
    await this.#samples.append(samples);
    const last = samples.at(-1);
    if (last !== undefined) this.nextSample = last + 1;
  }

  /** Notes a picture that was left out. */
  skip(name: string): void {
    this.#skipped.add(name);
  }

  /** Makes the rows so far survive whatever happens next. */
  async flush(): Promise<void> {
    for (const writer of [this.#features, this.#labels, this.#samples]) await writer.flush();
  }

  /**
   * Stops for now; `open` goes on from here. The files are closed even where the last rows cannot be saved. Where there
   * are no rows at all, nothing is left behind.
   */
  async pause(): Promise<void> {
    if (this.rowCount === 0) return this.#abandon();
    try {
      await this.flush();
      await writeManifest(this.folder, { ...this.#manifest, skipped: [...this.#skipped] });
    } finally {
      for (const writer of [this.#features, this.#labels, this.#samples]) await writer.pause();
    }
  }

  async #abandon(): Promise<void> {
    for (const writer of [this.#features, this.#labels, this.#samples]) await writer.abort();
    await rm(join(this.folder, featureFiles.manifest), { force: true });
    if ((await readdir(this.folder)).length === 0) await rmdir(this.folder);
  }

  /** Finishes: the folder is complete. */
  async commit(): Promise<FeatureManifest> {
    for (const writer of [this.#features, this.#labels, this.#samples]) await writer.commit();
    const manifest = { ...this.#manifest, complete: true, skipped: [...this.#skipped] };
    await writeManifest(this.folder, manifest);
    return manifest;
  }
}

/** A folder that the user has for something else must not be littered. */
async function refuseOtherFiles(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, 'cannot write features there');
  });
  const other = names.find((name) => !name.startsWith(featureFiles.manifest));
  if (other === undefined) return;
  throw new ConvbaseError('features/in-the-way', `it holds other things, such as ${other}`, {
    where: folder,
    fix: 'Give the features a folder of their own, which need not exist yet.',
  });
}

async function writeManifest(folder: string, manifest: FeatureManifest): Promise<void> {
  await writeFileAtomic(join(folder, featureFiles.manifest), `${visibleJson(manifest, 2)}\n`);
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError(error, path, 'cannot read it');
  });
}
