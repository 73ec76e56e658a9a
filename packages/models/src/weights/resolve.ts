import { ConvbaseError, warnOnce } from '@convbase/base';
import {
  downloadFile,
  fileInFolder,
  isFile,
  isFolder,
  md5,
  tidyWeights,
  weightFolders,
  weightsMirror,
} from '#platform';
import { weightsCatalogue } from './catalogue.ts';
import type { RemoteFile, WeightFile } from './catalogue.ts';

export interface FetchOptions {
  /** Told of a download's progress. */
  readonly onProgress?: (progress: {
    readonly file: string;
    readonly receivedBytes: number;
    readonly totalBytes: number | undefined;
  }) => void;
  /** Told, once, which process is downloading the same file and is waited for. */
  readonly onWait?: (waiting: { readonly file: string; readonly holder: string }) => void;
  readonly signal?: AbortSignal;
}

/** Where a file was found: given by path, in convbase's cache, in Keras' own, or downloaded just now. */
export interface LocatedFile {
  readonly path: string;
  readonly origin: 'path' | 'cache' | 'keras' | 'download';
}

export interface ResolveWeightsOptions extends FetchOptions {
  /** Keras' module name, such as `vgg16`. */
  readonly model: string;
  readonly includeTop: boolean;
  /** `'imagenet'`, or the path of a file in any format `openModelFile` knows (a URL in a browser). */
  readonly weights: string;
}

/**
 * Turns what a user says about weights into a file: an explicit path; else convbase's cache, Keras' cache
 * (`~/.keras/models`), and at last a download from Keras' official address, or from a mirror's (`CONVBASE_WEIGHTS_URL`,
 * under which the files lie by their names), each checked by MD5.
 *
 * @throws ConvbaseError `file/missing` for a path that is not there, `weights/unknown-model`, `weights/unavailable`
 * (offline: says which file to put where), `weights/mirror` for a mirror that is no plain web address, `disk/full`; the signal's reason when aborted
 */
export async function resolveWeights(options: ResolveWeightsOptions): Promise<LocatedFile> {
  const { model, includeTop, weights } = options;
  if (weights !== 'imagenet') {
    if (/^https?:/.test(weights) || (await isFile(weights)) || (await isFolder(weights))) {
      return { path: weights, origin: 'path' };
    }
    throw new ConvbaseError('file/missing', 'there is no such weight file', {
      where: weights,
      fix: "Give the path of a weight file, or 'imagenet' to have it found or downloaded.",
    });
  }
  return resolveFile(findWeightFile(model, includeTop), options);
}

/** The catalogue's entry for a model. @throws ConvbaseError `weights/unknown-model` */
export function findWeightFile(model: string, includeTop: boolean): WeightFile {
  const file = weightsCatalogue().find((entry) => entry.model === model && entry.includeTop === includeTop);
  if (file !== undefined) return file;
  const known = [...new Set(weightsCatalogue().map((entry) => entry.model))].join(', ');
  throw new ConvbaseError('weights/unknown-model', `there are no ImageNet weights for ${model}`, {
    fix: `Known are ${known}. For another model give the path of a weight file.`,
  });
}

/** Where a file already is, if its MD5 is right there; nothing is downloaded. */
export async function locateFile(file: RemoteFile, signal?: AbortSignal): Promise<LocatedFile | undefined> {
  return (await search(file, signal)).found;
}

/** Finds a file in the caches or downloads it. Throws as `resolveWeights` does. */
export async function resolveFile(file: RemoteFile, options: FetchOptions = {}): Promise<LocatedFile> {
  const { onProgress, onWait, signal } = options;
  const { found, rejected } = await search(file, signal);
  if (found?.origin === 'cache') await tidyWeights(found.path);
  if (found !== undefined) return found;
  const path = fileInFolder(weightFolders().cache, file.file);
  try {
    await downloadFile(addressOf(file), path, {
      md5: file.md5,
      ...(file.maxBytes === undefined ? {} : { maxBytes: file.maxBytes }),
      ...(signal && { signal }),
      ...(onWait && { onWait: (holder) => onWait({ file: file.file, holder }) }),
      ...(onProgress && { onProgress: (progress) => onProgress({ file: file.file, ...progress }) }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (!(cause instanceof ConvbaseError) || !cause.code.startsWith('download/')) throw cause;
    throw unavailable(file, rejected, cause);
  }
  await tidyWeights(path);
  return { path, origin: 'download' };
}

/** Where a file is downloaded from: a mirror, if there is one. @throws ConvbaseError `weights/mirror` */
function addressOf({ file, url }: RemoteFile): string {
  const mirror = weightsMirror();
  if (mirror === undefined) return url;
  const base = URL.canParse(mirror) ? new URL(mirror) : undefined;
  const isPlain =
    base !== undefined &&
    /^https?:$/.test(base.protocol) &&
    base.username + base.password === '' &&
    !/[?#]/.test(base.href);
  if (isPlain) return new URL(file, base.href.replace(/\/*$/, '/')).href;
  // The value is not shown: a user, a password or a token may be what is wrong with it.
  throw new ConvbaseError('weights/mirror', 'it is not the plain address of a folder on the web', {
    where: 'CONVBASE_WEIGHTS_URL',
    fix: [
      `Give the http or https address under which ${file} lies, such as https://example.org/keras, or unset it.`,
      'There can be no user or password in it, and nothing that begins with ? or #.',
    ],
  });
}

interface Search {
  readonly found?: LocatedFile;
  /** Files of the right name and the wrong contents. */
  readonly rejected: readonly string[];
}

async function search(file: RemoteFile, signal: AbortSignal | undefined): Promise<Search> {
  const rejected: string[] = [];
  const folders = weightFolders();
  for (const origin of ['cache', 'keras'] as const) {
    const path = fileInFolder(folders[origin], file.file);
    const find = async (): Promise<string | undefined> =>
      (await isFile(path)) ? md5(path, signal) : undefined;
    const sum = await (origin === 'cache' ? find() : unlessUnusable(folders[origin], find));
    if (sum === undefined) continue;
    if (sum === file.md5) return { found: { path, origin }, rejected };
    rejected.push(`${path} is another file or damaged (its MD5 is ${sum}, not ${file.md5}).`);
  }
  return { rejected };
}

/** Another program's folder only helps: where it cannot be looked into, or a file of it not be read, nothing is there. */
async function unlessUnusable<T>(folder: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConvbaseError && /^(file|disk)\//.test(error.code))) throw error;
    warnOnce(folder, `weights that Keras keeps are not used: ${error.message.split('\n')[0] ?? ''}`);
    return undefined;
  }
}

function unavailable(file: RemoteFile, rejected: readonly string[], cause: ConvbaseError): ConvbaseError {
  const { cache, keras } = weightFolders();
  const fix = [
    `Where there is a network, download ${file.url}`,
    `and put ${file.file} into ${cache} (or ${keras}),`,
    'or name a weight file that you have (--weights PATH).',
    ...rejected,
  ];
  const reason = cause.message.split('\n')[0] ?? cause.message;
  return new ConvbaseError('weights/unavailable', `it is in no cache and cannot be downloaded (${reason})`, {
    where: file.file,
    fix,
    cause,
  });
}
