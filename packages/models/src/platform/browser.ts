import { ConvbaseError } from '@convbase/base';
import { MemorySource } from '../formats/source.ts';
import type { ByteSource } from '../formats/source.ts';

/** Fetches a URL. @throws ConvbaseError `file/missing` with the server's answer */
export async function openSource(url: string): Promise<ByteSource> {
  const response = await fetch(url);
  if (response.ok) return new MemorySource(await response.arrayBuffer(), url);
  throw new ConvbaseError('file/missing', `the server answers ${response.status} ${response.statusText}`, {
    where: url,
  });
}

/** A URL that ends with a slash stands for the folder of a `model.json`. */
export function isFolder(url: string): Promise<boolean> {
  return Promise.resolve(url.endsWith('/'));
}

/** The URL of a file that lies beside another. */
export function fileBeside(url: string, relative: string): string {
  return new URL(relative, URL.canParse(url) ? url : new URL(url, globalThis.location.href)).href;
}

/** The URL of a file in a folder. */
export function fileInFolder(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** SHA-256 in hex of the sources' bytes, one after the other. */
export async function sha256(sources: readonly ByteSource[]): Promise<string> {
  const all = new Uint8Array(sources.reduce((total, source) => total + source.size, 0));
  let offset = 0;
  for (const source of sources) {
    source.readInto(all.subarray(offset, offset + source.size), 0);
    offset += source.size;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
export {
  checkSaveLock,
  listFiles,
  otherTexts,
  refuseExisting,
  removeBeside,
  saveFile,
  shippedGolden,
  withSaveLock,
} from './browser/files.ts';
export {
  downloadFile,
  isFile,
  md5,
  npmPackage,
  tidyWeights,
  weightFolders,
  weightsMirror,
} from './browser/fetch.ts';
export { withTimeLimit } from './browser/time-limit.ts';
