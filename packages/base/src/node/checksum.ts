import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileError } from './file-error.ts';

/**
 * The checksum of a file's bytes, in hex unless said otherwise.
 *
 * @throws ConvbaseError those of `fileError`; the signal's reason
 */
export async function fileChecksum(
  path: string,
  algorithm: 'md5' | 'sha256' | 'sha512',
  { signal, encoding = 'hex' }: { signal?: AbortSignal | undefined; encoding?: 'hex' | 'base64' } = {},
): Promise<string> {
  const hash = createHash(algorithm);
  try {
    const stream = createReadStream(path, { highWaterMark: 2 ** 20, ...(signal && { signal }) });
    for await (const chunk of stream as AsyncIterable<Uint8Array>) hash.update(chunk);
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, path, 'cannot read it');
  }
  return hash.digest(encoding);
}
