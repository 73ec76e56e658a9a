import { freemem } from 'node:os';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { afterFailure, doEach } from '@convbase/base/node';
import { NpyFile, readNpy } from '../npy/read.ts';
import {
  damagedFile,
  featureFiles,
  type FeatureManifest,
  readManifest,
  recipeDifference,
} from './manifest.ts';

/** However much memory is free, never more features than this are held in it. */
const MOST_HELD_BYTES = 2 ** 31;

/** The rows of one folder; `held` when they are in memory. */
interface Part {
  readonly first: number;
  readonly file: NpyFile;
  held?: Float32Array;
}

/** Features of many pictures, read from one or several feature folders a few rows at a time. */
export class Features {
  /** What all folders have in common; `source` is the first one's. */
  readonly manifest: FeatureManifest;
  /** The class of each row, folder after folder. */
  readonly labels: Int32Array;
  readonly #parts: readonly Part[];

  private constructor(manifest: FeatureManifest, labels: Int32Array, parts: readonly Part[]) {
    this.manifest = manifest;
    this.labels = labels;
    this.#parts = parts;
  }

  /**
   * Opens complete feature folders that were made in the same way.
   *
   * Errors: `features/incomplete`, `features/mix`, `features/damaged`, `npy/...`, `file/...`, naming the folder.
   */
  static async open(...folders: readonly string[]): Promise<Features> {
    const parts: Part[] = [];
    const labels: Int32Array[] = [];
    let rows = 0;
    let common: FeatureManifest | undefined;
    try {
      for (const folder of folders) {
        const manifest = await readManifest(folder);
        common ??= manifest;
        const difference = recipeDifference(common, manifest, { source: false });
        if (difference !== undefined) {
          throw new ConvbaseError(
            'features/mix',
            `it was made in another way than ${folders[0] ?? ''} (${difference})`,
            {
              where: folder,
              fix: 'Extract both with the same model, weights, layer, size, preprocessing and resize mode.',
            },
          );
        }
        const file = await NpyFile.open(join(folder, featureFiles.features));
        parts.push({ first: rows, file });
        const own = await readLabels(folder, manifest, file);
        await checkSamples(folder, manifest, own.length);
        labels.push(own);
        rows += own.length;
      }
    } catch (error) {
      await afterFailure(() =>
        doEach(
          parts.map(
            ({ file }) =>
              () =>
                file.close(),
          ),
        ),
      );
      throw error;
    }
    if (!common) throw new RangeError('no feature folder was named');
    const joined = new Int32Array(rows);
    labels.forEach((own, i) => joined.set(own, parts[i]?.first));
    return new Features(common, joined, parts);
  }

  get #rowSize(): number {
    return this.manifest.featureShape.reduce((a, b) => a * b, 1);
  }

  get rowCount(): number {
    return this.labels.length;
  }

  /**
   * Reads all rows into memory, so that epochs need no more reading, where they take no more than `limit` bytes; default
   * a quarter of the memory that is free, at most 2 GiB. Says whether they did.
   */
  async hold(limit: number = Math.min(MOST_HELD_BYTES, freemem() / 4)): Promise<boolean> {
    if (this.rowCount * this.#rowSize * Float32Array.BYTES_PER_ELEMENT > limit) return false;
    for (const part of this.#parts) {
      part.held ??= (await part.file.readRows(0, part.file.rowCount)) as Float32Array;
    }
    return true;
  }

  /** Reads the rows with these numbers, one after the other. */
  async rows(numbers: ArrayLike<number>): Promise<Float32Array> {
    const perRow = this.#rowSize;
    const result = new Float32Array(numbers.length * perRow);
    await Promise.all(
      Array.from(numbers, async (row, i) => {
        const part = this.#parts.findLast(({ first }) => first <= row);
        if (!part) throw new RangeError(`row ${row} of ${this.rowCount}`);
        const own = row - part.first;
        const values =
          part.held?.subarray(own * perRow, (own + 1) * perRow) ??
          ((await part.file.readRows(own, 1)) as Float32Array);
        result.set(values, i * perRow);
      }),
    );
    return result;
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map(({ file }) => file.close()));
  }
}

async function readLabels(folder: string, manifest: FeatureManifest, features: NpyFile): Promise<Int32Array> {
  const path = join(folder, featureFiles.labels);
  const { data, shape } = await readNpy(path);
  const damaged = (what: string): ConvbaseError => damagedFile(path, what);
  if (!(data instanceof Int32Array) || shape.length !== 1) throw damaged('labels must be one row of int32');
  const featureShape = features.shape.slice(1).join();
  if (features.dtype !== 'float32' || featureShape !== manifest.featureShape.join()) {
    throw damaged(
      `features are ${features.dtype} (${featureShape}), the manifest says (${manifest.featureShape.join()})`,
    );
  }
  if (data.length !== features.rowCount)
    throw damaged(`${data.length} labels for ${features.rowCount} features`);
  if (data.length === 0) throw damaged('there is not one picture in it');
  const wrong = data.find((label) => label < 0 || label >= manifest.classNames.length);
  if (wrong !== undefined) throw damaged(`label ${wrong} of ${manifest.classNames.length} classes`);
  return data;
}

/** Which pictures the rows are of follows from the sample numbers: these rise, and those that are left out were skipped. */
async function checkSamples(
  folder: string,
  { source, skipped }: FeatureManifest,
  rows: number,
): Promise<void> {
  const path = join(folder, featureFiles.samples);
  const { data, shape } = await readNpy(path);
  if (!(data instanceof Int32Array) || shape.length !== 1)
    throw damagedFile(path, 'sample numbers must be one row of int32');
  if (data.length !== rows) throw damagedFile(path, `${data.length} sample numbers for ${rows} features`);
  const at = data.findIndex((sample, row) => sample <= (data[row - 1] ?? -1) || sample >= source.samples);
  if (at >= 0)
    throw damagedFile(path, `row ${at} cannot be of picture number ${data[at] ?? ''} of ${source.samples}`);
  if (rows + skipped.length !== source.samples)
    throw damagedFile(path, `${rows} rows and ${skipped.length} skipped of ${source.samples} pictures`);
}
