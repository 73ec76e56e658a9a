import { doEach } from '@convbase/base/node';
import type { PictureDataset, PictureSet } from '@convbase/data';
import type { Model } from '@convbase/layers';
import { cachedPrefix, hasPrefixOutputs, type CachedPrefix } from '../prefix/index.ts';
import type { RunContext } from './context.ts';

/** Warnings given in this process: every stage, and every set of pictures of one, finds the same folder unusable. */
const given = new Set<string>();

/** The frozen part's outputs for each set of pictures, each computed once. */
export class PrefixOutputs {
  readonly #prefix: Model;
  readonly #context: RunContext;
  readonly #made = new Map<PictureSet, Promise<CachedPrefix>>();

  constructor(prefix: Model, context: RunContext) {
    this.#prefix = prefix;
    this.#context = context;
  }

  of(pictures: PictureDataset, what: string): Promise<CachedPrefix> {
    const there = this.#made.get(pictures.set);
    if (there !== undefined) return there;
    const { observer, signal, cacheFolder, meter } = this.#context;
    const made = cachedPrefix(this.#prefix, pictures, {
      ...(cacheFolder === undefined ? {} : { folder: cacheFolder }),
      ...(signal === undefined ? {} : { signal }),
      meter,
      onWarning: (line) => {
        const [what] = line.split(':');
        const warning = JSON.stringify([what, cacheFolder]);
        if (!given.has(warning)) observer.say?.(`  ${line.split('\n')[0] ?? ''}`);
        given.add(warning);
      },
      onProgress: (done, total) =>
        observer.count?.(`${what} pictures through the frozen layers`, done, total),
    });
    this.#made.set(pictures.set, made);
    return made;
  }

  /** Whether an earlier run left them, and so has read all pictures. */
  known(pictures: PictureDataset): Promise<boolean> {
    const { cacheFolder: folder } = this.#context;
    return hasPrefixOutputs(this.#prefix, pictures, folder === undefined ? {} : { folder });
  }

  async close(): Promise<void> {
    const closing = [...this.#made.values()].map((made) => async (): Promise<void> => {
      // One that failed has told so already.
      const cache = await made.catch(() => undefined);
      await cache?.close();
    });
    await doEach(closing);
  }
}
