import { parseJson } from '../json.ts';
import { ConvbaseError } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { readBounded } from './read-file.ts';

/** What is known of a file of which a part is here: `<path>.partial.json`, beside the part. */
export interface DownloadNote {
  readonly url: string;
  /** An ETag or a date by which the server tells whether the file is still the same. */
  readonly validator: string;
  readonly totalBytes?: number | undefined;
}

/** A URL may be long; nothing here is longer. */
const MAX_BYTES = 65_536;

export function notePath(path: string): string {
  return `${path}.partial.json`;
}

export async function writeNote(path: string, note: DownloadNote): Promise<void> {
  await writeFileAtomic(notePath(path), JSON.stringify(note));
}

/** The note beside a part of a file from `url`; undefined where there is none, or none of it. */
export async function readNote(path: string, url: string): Promise<DownloadNote | undefined> {
  let json: unknown;
  try {
    json = parseJson((await readBounded(notePath(path), MAX_BYTES)).toString());
  } catch (error) {
    // Without a note that can be read the download begins anew, which loses nothing but time.
    const harmless = ['file/missing', 'file/kind', 'file/too-large', 'file/link'];
    if (error instanceof SyntaxError) return undefined;
    if (error instanceof ConvbaseError && harmless.includes(error.code)) return undefined;
    throw error;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { url: of, validator, totalBytes } = json as Record<string, unknown>;
  // It goes into a header, which takes no control characters.
  if (of !== url || typeof validator !== 'string' || !/^[\x20-\x7e]+$/.test(validator)) return undefined;
  return { url, validator, totalBytes: typeof totalBytes === 'number' ? totalBytes : undefined };
}
