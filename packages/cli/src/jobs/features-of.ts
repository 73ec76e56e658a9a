import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { exists, removeAtOnce } from '@convbase/base/node';
import { Features } from '@convbase/data';
import type { BaseWithInput } from './base-options.ts';
import { extractToFolder, type Extraction, type FolderExtraction } from './extraction.ts';
import { openPictures, type PictureFlags } from './pictures.ts';

/** What turns pictures into features, where there are pictures among the arguments. */
export interface Extractor extends Omit<Extraction, keyof BaseWithInput> {
  /** Opens the base; called only for pictures. */
  readonly open: () => Promise<BaseWithInput>;
  readonly pictures: PictureFlags;
}

/** A group of folders: what to train on, or what to validate with. */
export interface FeatureRequest {
  readonly paths: readonly string[];
  /** The part of an MNIST folder to take when the flags name none. */
  readonly preferred: 'train' | 'test';
  readonly classNames?: readonly string[];
  /** Where the features of pictures are kept, so that an interrupted command goes on where it stopped. */
  readonly scratch: string;
}

/** Whether a path is a folder that `convbase extract` wrote. */
export function isFeatureFolder(path: string): Promise<boolean> {
  return exists(join(path, 'manifest.json'));
}

/** The features of folders that hold either features or pictures; pictures are turned into features first. */
export async function featuresOf(request: FeatureRequest, extractor: Extractor): Promise<Features> {
  const folders: string[] = [];
  for (const [index, path] of request.paths.entries()) {
    if (await isFeatureFolder(path)) {
      folders.push(path);
      continue;
    }
    const folder = join(request.scratch, String(index));
    folders.push(folder);
    await extractAnew(path, folder, request, extractor);
  }
  return Features.open(...folders);
}

async function extractAnew(
  path: string,
  folder: string,
  request: FeatureRequest,
  extractor: Extractor,
): Promise<void> {
  const { preferred, classNames } = request;
  const set = await openPictures(path, {
    ...extractor.pictures,
    preferred,
    ...(classNames ? { classNames } : {}),
  });
  const { gpu, ...how } = extractor;
  const extraction: FolderExtraction = {
    ...how,
    ...(await extractor.open()),
    withGpu: (job) => job(gpu),
  };
  try {
    await extractToFolder(set, path, folder, extraction);
  } catch (error) {
    if (!(error instanceof ConvbaseError && error.code === 'features/mix')) throw error;
    // What an interrupted command left there was made in another way, so it is of no use to this one.
    await removeAtOnce(folder);
    await extractToFolder(set, path, folder, extraction);
  }
}
