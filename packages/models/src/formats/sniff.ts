import { ConvbaseError } from '@convbase/base';
import type { ByteSource } from './source.ts';

const HDF5_SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const ZIP_SIGNATURE = [0x50, 0x4b, 0x03, 0x04];
const OPENING_BRACE = 0x7b;

/** The container a file is, by its first bytes. @throws ConvbaseError `file/format` */
export function sniff(source: ByteSource): 'hdf5' | 'zip' | 'safetensors' | 'json' {
  if (hdf5Start(source) !== undefined) return 'hdf5';
  if (startsWith(source, 0, ZIP_SIGNATURE)) return 'zip';
  // A safetensors file has 8 bytes of header length in front of its brace.
  if (startsWith(source, 8, [OPENING_BRACE])) {
    const head = source.bytes(0, 8);
    if (new DataView(head.buffer, head.byteOffset, 8).getUint32(4, true) === 0) return 'safetensors';
  }
  const start = source.bytes(0, Math.min(source.size, 64));
  if (start.find((byte) => byte > 0x20) === OPENING_BRACE) return 'json';
  throw new ConvbaseError(
    'file/format',
    source.size === 0 ? 'the file is empty' : 'it is no model or weight file',
    {
      where: source.name,
      fix:
        'Known are Keras .keras, .h5 and .weights.h5, a tfjs model.json (or its folder) and .safetensors. ' +
        'A file that was downloaded may hold an error page instead: fetch it again.',
    },
  );
}

/**
 * Where in a file HDF5 begins, if it does: at its start, or behind a block of the user's own of 512 bytes or a power
 * of two above.
 */
export function hdf5Start(source: ByteSource): number | undefined {
  for (let offset = 0; offset <= 1 << 20; offset = offset === 0 ? 512 : 2 * offset) {
    if (startsWith(source, offset, HDF5_SIGNATURE)) return offset;
  }
  return undefined;
}

function startsWith(source: ByteSource, offset: number, signature: readonly number[]): boolean {
  if (offset + signature.length > source.size) return false;
  const bytes = source.bytes(offset, signature.length);
  return signature.every((byte, i) => bytes[i] === byte);
}
