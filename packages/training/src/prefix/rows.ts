import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { afterFailure, doEach, readBounded } from '@convbase/base/node';
import { NpyFile, readNpy, type NpyData } from '@convbase/data';
import { sizeOf, type HostArray } from '@convbase/layers';
import { checkFiles, parsePrefixManifest, prefixFiles, type PrefixManifest } from './manifest.ts';

/** Room for the names of a million pictures that were left out. */
const MAX_MANIFEST_BYTES = 2 ** 26;

/** Outputs of many pictures: one table for each output, one row for each picture. */
export interface PrefixRows {
  readonly manifest: PrefixManifest;
  /** The place in the set of each row's picture, ascending. */
  readonly samples: Int32Array;
  readonly kept: 'memory' | 'disk';
  readonly bytes: number;
  /** The rows with these numbers, one array for each output. */
  read(rows: ArrayLike<number>): Promise<readonly HostArray[]>;
  close(): Promise<void>;
}

/**
 * Opens a complete folder after having checked every byte of it, and loads it where it takes no more than
 * `memoryBytes`. Throws `prefix/damaged`, `npy/...` or `file/missing` for a folder that is not whole.
 */
export async function openRows(folder: string, key: string, memoryBytes: number): Promise<PrefixRows> {
  const path = join(folder, prefixFiles.manifest);
  const text = (await readBounded(path, MAX_MANIFEST_BYTES)).toString('utf8');
  const manifest = parsePrefixManifest(text, key, path);
  await checkFiles(folder, manifest);
  const samples = await readSamples(join(folder, prefixFiles.samples), manifest.rows);
  const bytes = manifest.shapes.reduce((sum, shape) => sum + 4 * manifest.rows * sizeOf(shape), 0);
  const tables = await openTables(folder, manifest, bytes <= memoryBytes);
  return {
    manifest,
    samples,
    kept: bytes <= memoryBytes ? 'memory' : 'disk',
    bytes,
    read: (rows) =>
      Promise.all(
        tables.map(async (table, index) => {
          const shape = manifest.shapes[index] ?? [];
          return { data: await table.read(rows), shape: [rows.length, ...shape] };
        }),
      ),
    close: async () => {
      await Promise.all(tables.map((table) => table.close()));
    },
  };
}

async function readSamples(path: string, rows: number): Promise<Int32Array> {
  const { data, shape } = await readNpy(path);
  if (!(data instanceof Int32Array) || shape.length !== 1 || data.length !== rows) {
    throw damaged(path, `it is no list of ${rows} places`);
  }
  return data;
}

function damaged(where: string, what: string): ConvbaseError {
  return new ConvbaseError('prefix/damaged', what, { where });
}

/** The rows of one output. */
interface Table {
  read(rows: ArrayLike<number>): Promise<Float32Array>;
  close(): Promise<void>;
}

async function openTables(
  folder: string,
  { shapes, rows }: PrefixManifest,
  inMemory: boolean,
): Promise<readonly Table[]> {
  const tables: Table[] = [];
  try {
    for (const [index, shape] of shapes.entries()) {
      const file = await NpyFile.open(join(folder, prefixFiles.output(index)));
      const size = sizeOf(shape);
      tables.push(diskTable(file, size));
      if (file.dtype !== 'float32' || file.shape.join() !== [rows, ...shape].join()) {
        const [found, wanted] = [file.shape, [rows, ...shape]].map((one) => one.join(', '));
        throw damaged(file.path, `it is ${file.dtype} (${found}), the manifest says float32 (${wanted})`);
      }
      if (!inMemory) continue;
      tables[index] = memoryTable(await file.readRows(0, rows), size);
      await file.close();
    }
    return tables;
  } catch (error) {
    await afterFailure(() => doEach(tables.map((table) => () => table.close())));
    throw error;
  }
}

function memoryTable(all: NpyData, size: number): Table {
  return {
    read(rows) {
      const data = new Float32Array(rows.length * size);
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] ?? 0;
        data.set((all as Float32Array).subarray(row * size, (row + 1) * size), i * size);
      }
      return Promise.resolve(data);
    },
    close: () => Promise.resolve(),
  };
}

function diskTable(file: NpyFile, size: number): Table {
  return {
    async read(rows) {
      const data = new Float32Array(rows.length * size);
      await Promise.all(
        Array.from(rows, async (row, i) => {
          data.set((await file.readRows(row, 1)) as Float32Array, i * size);
        }),
      );
      return data;
    },
    close: () => file.close(),
  };
}
