import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { Features } from '@convbase/data';
import type { Base } from '@convbase/models';
import type { Progress } from '../terminal/progress.ts';
import type { InputConfig } from './base-options.ts';
import { extractToFolder } from './extract-features.ts';
import { openPictures } from './pictures.ts';

/** What turns pictures into features, opened only when there are pictures among the arguments. */
export interface Extractor {
  readonly gpu: Gpu;
  readonly open: () => Promise<{ base: Base; input: InputConfig }>;
  readonly batchSize: number;
  readonly onBadImage: 'refuse' | 'skip';
  readonly split?: 'train' | 'test';
  readonly limit?: number;
  readonly classNames?: readonly string[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Where features of pictures are kept while the command runs; left there only when it is interrupted. */
  readonly scratch: string;
}

/** Whether a path is a folder that `convbase extract` wrote. */
export function isFeatureFolder(path: string): boolean {
  return existsSync(join(path, 'manifest.json'));
}

/**
 * The features of folders that hold either features or pictures. Pictures are turned into features first, in a
 * folder beside the result, so that an interrupted command goes on where it stopped.
 */
export async function featuresOf(paths: readonly string[], extractor: Extractor): Promise<Features> {
  const folders: string[] = [];
  for (const path of paths) {
    if (isFeatureFolder(path)) {
      folders.push(path);
      continue;
    }
    const folder = join(extractor.scratch, path.replace(/[^\w.-]+/g, '_'));
    folders.push(folder);
    await extractOnce(path, folder, extractor);
  }
  return Features.open(...folders);
}

async function extractOnce(path: string, folder: string, extractor: Extractor): Promise<void> {
  const set = await openPictures({ ...extractor, path });
  const { base, input } = await extractor.open();
  try {
    await extractToFolder({ ...extractor, base, input, set }, folder, path);
  } catch (error) {
    // Another path of the same command had the same pictures, or an earlier, interrupted run got this far.
    if (!(error instanceof ConvbaseError && error.code === 'features/complete')) throw error;
  }
}

/** Removes what `featuresOf` kept. */
export async function removeScratch(scratch: string): Promise<void> {
  await rm(scratch, { recursive: true, force: true });
}
