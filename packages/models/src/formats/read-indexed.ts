import { ConvbaseError } from '@convbase/base';
import { MemorySource, type ByteSource } from './source.ts';

/** More often than anybody saves a model while it is read. */
const MOST_ATTEMPTS = 5;

/**
 * Reads files that another one, the index, names. Who saves meanwhile puts a new index in the place of the old one, and
 * removes the files that only the old one named: so where a file is missing the index is read once more, and where that
 * is another one by now, what it names.
 *
 * @param readIndex an index comes in memory; what is in a file still is none, and names no files
 * @param readNamed closes what it was given if it fails
 * @throws ConvbaseError `file/missing` for a file that the index still names, or when it is another one again and again;
 * what the two functions throw
 */
export async function readIndexed<T>(
  readIndex: () => Promise<ByteSource>,
  readNamed: (index: ByteSource) => Promise<T>,
): Promise<T> {
  let index = await readIndex();
  for (let attempt = 1; ; attempt++) {
    try {
      return await readNamed(index);
    } catch (error) {
      const isMissing = error instanceof ConvbaseError && error.code === 'file/missing';
      if (!isMissing || !(index instanceof MemorySource) || attempt === MOST_ATTEMPTS) throw error;
      const now = await readIndex();
      if (isSame(index, now)) throw error;
      index = now;
    }
  }
}

function isSame(index: MemorySource, now: ByteSource): boolean {
  if (!(now instanceof MemorySource) || now.size !== index.size) return false;
  const bytes = now.bytes(0, now.size);
  return index.bytes(0, index.size).every((byte, place) => byte === bytes[place]);
}
