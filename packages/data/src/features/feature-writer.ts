import { join } from 'node:path';
import { ConvbaseError, visibleJson } from '@convbase/base';
import {
  afterFailure,
  doEach,
  isFile,
  isLockName,
  isTemporaryName,
  listIfThere,
  lockFolder,
  type Release,
  removeEmptyFolder,
  removeFile,
  withTidying,
  writeFileAtomic,
} from '@convbase/base/node';
import { reopenFinished } from '../npy/reopen.ts';
import { NpyWriter } from '../npy/write.ts';
import {
  damagedFile,
  featureFiles,
  type FeatureManifest,
  type FeatureRecipe,
  readAnyManifest,
  recipeDifference,
} from './manifest.ts';

/** The data of a folder, in the order in which a writer has them. */
const dataFiles = [featureFiles.features, featureFiles.labels, featureFiles.samples];

/** Features, labels and the places of the pictures in the sorted list of their source. */
type Writers = readonly [NpyWriter, NpyWriter, NpyWriter];

/**
 * Writes a feature folder and goes on with an unfinished one. From `open` to `pause` or `commit` nobody else can.
 *
 * The manifest is written first; features, labels and sample numbers grow beside each other, and `flush` makes the
 * rows so far safe. A folder made with another recipe is refused. Which pictures were left out follows from the sample
 * numbers, so that no kill can lose it.
 */
export class FeatureWriter {
  readonly folder: string;
  readonly #manifest: FeatureManifest;
  readonly #writers: Writers;
  readonly #release: Release;
  /** The first picture (place in the sorted list) that is not in the folder yet. */
  nextSample: number;

  private constructor(
    folder: string,
    manifest: FeatureManifest,
    writers: Writers,
    nextSample: number,
    release: Release,
  ) {
    this.folder = folder;
    this.#manifest = manifest;
    this.#writers = writers;
    this.nextSample = nextSample;
    this.#release = release;
  }

  /**
   * Starts a folder or goes on with one.
   *
   * Errors: `features/mix` where the folder holds features of another recipe, `features/complete` where it is done,
   * `folder/in-the-way` where something else is in it, `file/locked` naming the process that writes there, `file/...`.
   */
  static async open(folder: string, recipe: FeatureRecipe): Promise<FeatureWriter> {
    // What is refused is not touched, and what is complete only where a kill left something behind.
    const seen = await look(folder, recipe);
    if (seen?.complete === true && !(await isLittered(folder))) throw complete(folder);
    const release = await lockFolder(folder);
    try {
      const existing = await look(folder, recipe);
      if (existing?.complete === true) throw complete(folder);
      const manifest: FeatureManifest = {
        format: 'convbase-features',
        version: 1,
        ...recipe,
        complete: false,
        skipped: [],
      };
      if (existing) await reopenFinished(folder, dataFiles);
      else await writeManifest(folder, manifest);
      const { writers, nextSample } = await openWriters(folder, recipe);
      return new FeatureWriter(folder, manifest, writers, nextSample, release);
    } catch (error) {
      await afterFailure(release);
      throw error;
    }
  }

  get rowCount(): number {
    return this.#writers[0].rowCount;
  }

  /** Adds the features of pictures in the order of their sample numbers. */
  async append(features: Float32Array, labels: Int32Array, samples: Int32Array): Promise<void> {
    for (const [index, rows] of [features, labels, samples].entries()) {
      await this.#writers[index]?.append(rows);
    }
    const last = samples.at(-1);
    if (last !== undefined) this.nextSample = last + 1;
  }

  /** Makes the rows so far survive whatever happens next. */
  async flush(): Promise<void> {
    for (const writer of this.#writers) await writer.flush();
  }

  /**
   * Stops for now; `open` goes on from here. The files are closed and the folder is free even where the last rows cannot
   * be saved. Where there are no rows at all, nothing is left behind.
   */
  async pause(): Promise<void> {
    const isEmpty = this.rowCount === 0;
    await withTidying(
      () => (isEmpty ? this.#removeFiles() : this.flush()),
      () => this.#letGo(),
    );
    if (isEmpty) await removeEmptyFolder(this.folder);
  }

  async #removeFiles(): Promise<void> {
    for (const writer of this.#writers) await writer.abort();
    await removeFile(join(this.folder, featureFiles.manifest));
  }

  /**
   * Finishes: the folder is complete. Where that fails it is as after `pause`.
   *
   * @param nameOf the picture of a sample number; those that are in no row are noted as left out
   */
  async commit(nameOf: (sample: number) => string): Promise<FeatureManifest> {
    const finish = async (): Promise<FeatureManifest> => {
      const [features, labels, samples] = this.#writers;
      const rows = new Set((await samples.readRows(0, samples.rowCount)) as Int32Array);
      const places = Array.from({ length: this.#manifest.source.samples }, (_, sample) => sample);
      const skipped = places.filter((sample) => !rows.has(sample)).map(nameOf);
      for (const writer of [features, labels, samples]) await writer.commit();
      const manifest = { ...this.#manifest, complete: true, skipped };
      await writeManifest(this.folder, manifest);
      return manifest;
    };
    return withTidying(finish, () => this.#letGo());
  }

  /** Closes the files and frees the folder. */
  async #letGo(): Promise<void> {
    await doEach([...this.#writers.map((writer) => () => writer.pause()), this.#release]);
  }
}

/** Opens the files with the rows that all three have. */
async function openWriters(
  folder: string,
  recipe: FeatureRecipe,
): Promise<{ writers: Writers; nextSample: number }> {
  const open: NpyWriter[] = [];
  const add = async (...args: Parameters<typeof NpyWriter.open>): Promise<NpyWriter> => {
    const writer = await NpyWriter.open(...args);
    open.push(writer);
    return writer;
  };
  try {
    const features = await add(join(folder, featureFiles.features), 'float32', recipe.featureShape);
    const labels = await add(join(folder, featureFiles.labels), 'int32', []);
    const samples = await add(join(folder, featureFiles.samples), 'int32', []);
    // A crash between two flushes leaves the files a few rows apart.
    const rows = Math.min(...open.map(({ rowCount }) => rowCount));
    for (const writer of open) if (writer.rowCount > rows) await writer.truncate(rows);
    const last = rows === 0 ? -1 : Number((await samples.lastRow())[0]);
    const { samples: pictures } = recipe.source;
    if (last < rows - 1 || last >= pictures) {
      const path = join(folder, `${featureFiles.samples}.partial`);
      throw damagedFile(path, `row ${rows - 1} cannot be of picture number ${last} of ${pictures}`);
    }
    return { writers: [features, labels, samples], nextSample: last + 1 };
  } catch (error) {
    await afterFailure(() => doEach(open.map((writer) => () => writer.pause())));
    throw error;
  }
}

/** What is in the folder, where features of this recipe may go into it. Changes nothing. */
async function look(folder: string, recipe: FeatureRecipe): Promise<FeatureManifest | undefined> {
  if (!(await isFile(join(folder, featureFiles.manifest)))) {
    await refuseOtherFiles(folder);
    return undefined;
  }
  const existing = await readAnyManifest(folder);
  const difference = recipeDifference(existing, recipe, { source: true });
  if (difference === undefined) return existing;
  throw new ConvbaseError('features/mix', `it holds features made in another way (${difference})`, {
    where: folder,
    fix: 'Choose another --out folder, or remove this one first.',
  });
}

function complete(folder: string): ConvbaseError {
  return new ConvbaseError('features/complete', 'these features are complete already', {
    where: folder,
    fix: 'Nothing is left to do. Remove the folder to extract them again.',
  });
}

/** A folder that the user has for something else must not be littered. */
async function refuseOtherFiles(folder: string): Promise<void> {
  const isOurs = (name: string): boolean =>
    name.startsWith(featureFiles.manifest) || isLockName(name) || isTemporaryName(name);
  const other = (await listIfThere(folder)).find((name) => !isOurs(name));
  if (other === undefined) return;
  throw new ConvbaseError('folder/in-the-way', `it holds other things, such as ${other}`, {
    where: folder,
    fix: 'Give the features a folder of their own, which need not exist yet.',
  });
}

/** Whether a process was killed when the folder was complete and its lock still there. */
async function isLittered(folder: string): Promise<boolean> {
  return (await listIfThere(folder)).some((name) => isLockName(name) || name.endsWith('.partial'));
}

async function writeManifest(folder: string, manifest: FeatureManifest): Promise<void> {
  await writeFileAtomic(join(folder, featureFiles.manifest), `${visibleJson(manifest, 2)}\n`);
}
