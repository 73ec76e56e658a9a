import { hostname } from 'node:os';
import { join } from 'node:path';
import { listIfThere, makeFolder, removeFile, statusOf, withWritableFile } from '@convbase/base/node';
import { fileVersionEvent } from './event.ts';
import { record } from './record.ts';

const NAME = /^events\.out\.tfevents\.(\d+)\./;

/** Makes file names of one process distinct. */
let filesOfThisProcess = 0;

/**
 * The event files in one folder, of which TensorBoard shows the sum. Each process that writes adds a file of its own,
 * the names in the order of time.
 */
export class EventFiles {
  readonly folder: string;
  #current: string | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Adds events (protobuf) behind all others. */
  async add(events: readonly Uint8Array[]): Promise<void> {
    const records = events.map(record);
    if (this.#current === undefined) {
      await makeFolder(this.folder);
      const latest = Math.max(0, ...(await this.#names()).map((name) => Number(NAME.exec(name)?.[1])));
      const seconds = Math.max(Math.floor(Date.now() / 1000), latest + 1);
      const host = hostname().replaceAll(/[^\w-]/g, '-');
      const name = `events.out.tfevents.${seconds}.${host}.${process.pid}.${filesOfThisProcess++}.v2`;
      this.#current = join(this.folder, name);
      records.unshift(record(fileVersionEvent(Date.now() / 1000)));
    }
    await withWritableFile(this.#current, 'append', (file) => file.write(Buffer.concat(records)));
  }

  /** The length of each file in bytes, by name. */
  async sizes(): Promise<Record<string, number>> {
    const entries = (await this.#names()).map(async (name): Promise<[string, number]> => {
      return [name, (await statusOf(join(this.folder, name)))?.size ?? 0];
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** Takes back everything that came after the files had these lengths. */
  async restore(sizes: Readonly<Record<string, number>>): Promise<void> {
    this.#current = undefined;
    for (const [name, size] of Object.entries(await this.sizes())) {
      const path = join(this.folder, name);
      const wanted = Object.hasOwn(sizes, name) ? (sizes[name] ?? 0) : 0;
      if (wanted === 0) await removeFile(path);
      else if (size > wanted) await withWritableFile(path, 'existing', (file) => file.truncate(wanted));
    }
  }

  async #names(): Promise<string[]> {
    return (await listIfThere(this.folder)).filter((name) => NAME.test(name));
  }
}
