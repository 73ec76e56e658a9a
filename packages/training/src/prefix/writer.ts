import { join } from 'node:path';
import { ConvbaseError, visibleJson } from '@convbase/base';
import {
  abandonedPath,
  afterFailure,
  doEach,
  exists,
  isAbandoned,
  isTemporaryName,
  listIfThere,
  remove,
  rename,
  linkStatusOf,
  systemCode,
  temporaryPath,
  touch,
  writeFileAtomic,
} from '@convbase/base/node';
import { NpyWriter, reopenFinished } from '@convbase/data';
import { dataFiles, listFiles, prefixFiles, type PrefixManifest } from './manifest.ts';

/**
 * Writes the outputs of a prefix into a folder of this process' own, and goes on with one that a process left
 * unfinished. Only when it is complete does the folder get its name, so that several processes may compute the same
 * without disturbing each other: the first to be ready wins.
 */
export class PrefixWriter {
  readonly #root: string;
  readonly #key: string;
  readonly #folder: string;
  readonly #shapes: readonly (readonly number[])[];
  readonly #outputs: readonly NpyWriter[];
  readonly #samples: NpyWriter;
  /** The first picture (place in the set) that is not in the folder yet. */
  nextSample: number;

  private constructor(
    root: string,
    key: string,
    folder: string,
    shapes: readonly (readonly number[])[],
    writers: readonly NpyWriter[],
    samples: NpyWriter,
    nextSample: number,
  ) {
    this.#root = root;
    this.#key = key;
    this.#folder = folder;
    this.#shapes = shapes;
    this.#outputs = writers;
    this.#samples = samples;
    this.nextSample = nextSample;
  }

  /**
   * @param shapes of each output for one picture
   * @param batchSize only whole batches of an unfinished folder count, so that the same pictures are computed together
   */
  static async open(
    root: string,
    key: string,
    shapes: readonly (readonly number[])[],
    batchSize: number,
  ): Promise<PrefixWriter> {
    const folder = temporaryPath(join(root, key));
    try {
      await adopt(root, key, folder);
      return await openIn(folder).catch(async (error: unknown) => {
        // What was left there is damaged or of another kind; nothing but time is lost with it.
        if (!(error instanceof ConvbaseError && error.code.startsWith('npy/'))) throw error;
        await remove(folder);
        return openIn(folder);
      });
    } catch (error) {
      await afterFailure(() => remove(folder));
      throw error;
    }

    async function openIn(path: string): Promise<PrefixWriter> {
      const open: NpyWriter[] = [];
      try {
        for (const [index, shape] of shapes.entries()) {
          open.push(await NpyWriter.open(join(path, prefixFiles.output(index)), 'float32', shape));
        }
        const samples = await NpyWriter.open(join(path, prefixFiles.samples), 'int32', []);
        open.push(samples);
        const common = Math.min(...open.map((writer) => writer.rowCount));
        const rows = common - (common % batchSize);
        for (const writer of open) await writer.truncate(rows);
        const last = rows === 0 ? -1 : Number((await samples.lastRow())[0]);
        return new PrefixWriter(root, key, path, shapes, open.slice(0, -1), samples, last + 1);
      } catch (error) {
        await afterFailure(() => doEach(open.map((writer) => () => writer.pause())));
        throw error;
      }
    }
  }

  get rowCount(): number {
    return this.#samples.rowCount;
  }

  /** Adds the outputs of a batch of pictures, in the order of their places in the set. */
  async append(outputs: readonly Float32Array[], samples: Int32Array): Promise<void> {
    for (const [index, writer] of this.#outputs.entries()) {
      await writer.append(outputs[index] ?? new Float32Array());
    }
    await this.#samples.append(samples);
    this.nextSample = (samples.at(-1) ?? this.nextSample - 1) + 1;
  }

  /** Makes the rows so far survive whatever happens next, and shows that the folder is in use. */
  async flush(): Promise<void> {
    for (const writer of this.#writers) await writer.flush();
    await touch(this.#folder);
  }

  /** Stops for now and leaves the folder to whoever wants to go on. */
  async pause(): Promise<void> {
    const leave = (): Promise<void> =>
      this.rowCount === 0
        ? remove(this.#folder)
        : rename(this.#folder, abandonedPath(join(this.#root, this.#key)));
    await doEach([
      ...this.#writers.map((writer) => () => writer.flush()),
      ...this.#writers.map((writer) => () => writer.pause()),
      leave,
    ]);
  }

  /** Gives up: nothing is left of it. */
  async discard(): Promise<void> {
    await doEach([...this.#writers.map((writer) => () => writer.pause()), () => remove(this.#folder)]);
  }

  /** Finishes: the folder gets its name, unless another process was first. */
  async commit(skipped: PrefixManifest['skipped']): Promise<void> {
    const rows = this.rowCount;
    for (const writer of this.#writers) await writer.commit();
    const manifest: PrefixManifest = {
      format: 'convbase-prefix',
      version: 1,
      key: this.#key,
      rows,
      shapes: this.#shapes.map((shape) => [...shape]),
      skipped,
      files: await listFiles(this.#folder, dataFiles(this.#shapes.length)),
    };
    await writeFileAtomic(join(this.#folder, prefixFiles.manifest), `${visibleJson(manifest, 2)}\n`);
    const target = join(this.#root, this.#key);
    await rename(this.#folder, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
      await remove(this.#folder);
    });
  }

  /** Places of all pictures with a row. */
  async samples(): Promise<Int32Array> {
    return (await this.#samples.readRows(0, this.rowCount)) as Int32Array;
  }

  get #writers(): readonly NpyWriter[] {
    return [...this.#outputs, this.#samples];
  }
}

/** Makes an abandoned folder of this key one's own, if there is one; renaming decides between those who want it. */
async function adopt(root: string, key: string, folder: string): Promise<void> {
  for (const name of await listIfThere(root)) {
    if (!name.startsWith(`${key}.`) || !isTemporaryName(name)) continue;
    const path = join(root, name);
    const status = await linkStatusOf(path);
    // A link is left alone: where it leads is no place to write to.
    if (status?.isDirectory() !== true || !isAbandoned(name, status.mtime)) continue;
    try {
      await rename(path, folder);
    } catch (error) {
      // Another process took it.
      if (error instanceof ConvbaseError && systemCode(error.cause) === 'ENOENT') continue;
      throw error;
    }
    const names = (await listIfThere(folder)).filter((file) => file.endsWith('.npy'));
    return reopenFinished(folder, names);
  }
}
