import { ConvbaseError, parseJson as parse } from '@convbase/base';

/** More elements than any tensor here can have: keeps `4 * count` an exact integer and far from overflow. */
const MAX_ELEMENTS = 2 ** 32;
const MAX_RANK = 32;

/** An error for a file whose contents contradict its format. */
export function malformed(where: string, what: string, cause?: unknown): ConvbaseError {
  return new ConvbaseError('file/malformed', what, {
    where,
    fix: 'The file is damaged or was not written as its format asks: fetch or save it again.',
    cause,
  });
}

/** An error for something a format allows and these readers do not know. */
export function unsupported(where: string, what: string, fix: string): ConvbaseError {
  return new ConvbaseError('file/unsupported', what, { where, fix });
}

/**
 * The number of elements of a shape that came from a file.
 *
 * @throws ConvbaseError `file/malformed` for negative, fractional or huge extents and for products that overflow
 */
export function elementCount(shape: readonly unknown[], where: string): number {
  if (shape.length > MAX_RANK) throw malformed(where, `a tensor of ${shape.length} dimensions`);
  let count = 1;
  for (const extent of shape) {
    if (typeof extent !== 'number' || !Number.isSafeInteger(extent) || extent < 0) {
      throw malformed(where, `shape [${shape.join(', ')}] is not a list of whole numbers`);
    }
    count *= extent;
    if (count > MAX_ELEMENTS) throw malformed(where, `shape [${shape.join(', ')}] is too large`);
  }
  return count;
}

/** UTF-8 text, refused where the bytes are none. */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw malformed(where, 'the text in it is not UTF-8', cause);
  }
}

/** JSON from a file; errors name the file. */
export function parseJson(text: string, where: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw malformed(
      where,
      `the JSON in it does not parse (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    );
  }
}

/** DEFLATE cannot do better. */
const MAX_RATIO = 1032;
/** Weights hardly compress; zeros do, which a small model may well hold. */
const MAX_LARGE_RATIO = 100;
const LARGE_BYTES = 2 ** 28;

/** How many bytes at most `packedBytes` of compressed data may claim to be: what is too good is a bomb. */
export function mostUnpacked(packedBytes: number): number {
  return Math.min(packedBytes * MAX_RATIO, Math.max(LARGE_BYTES, packedBytes * MAX_LARGE_RATIO));
}
