import { ConvbaseError } from '@convbase/base';

/** The element types that convbase reads and writes, little-endian. */
export type NpyDtype = 'float32' | 'uint8' | 'int32' | 'int64';
export type NpyData = Float32Array | Uint8Array | Int32Array | BigInt64Array;

export interface NpyArray {
  readonly dtype: NpyDtype;
  /** Row-major (C order). An empty shape is a single number. */
  readonly shape: readonly number[];
  readonly data: NpyData;
}

export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Where the data start in the file. */
  readonly dataOffset: number;
}

/** Each element type's numpy name and array class. */
const types = {
  float32: { descr: '<f4', bytes: 4, array: Float32Array },
  uint8: { descr: '|u1', bytes: 1, array: Uint8Array },
  int32: { descr: '<i4', bytes: 4, array: Int32Array },
  int64: { descr: '<i8', bytes: 8, array: BigInt64Array },
} as const;

const MAGIC = '\x93NUMPY';

/** The longest header that is read; numpy's own are a few hundred bytes. */
export const MAX_HEADER_BYTES = 65_536;

export function bytesPerElement(dtype: NpyDtype): number {
  return types[dtype].bytes;
}

/** How many elements a shape has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Views bytes as elements; copies when they are not aligned for it. */
export function asElements(dtype: NpyDtype, bytes: Uint8Array): NpyData {
  const { array, bytes: width } = types[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes);
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width);
}

export function dtypeOf(data: NpyData): NpyDtype {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Uint8Array) return 'uint8';
  return data instanceof Int32Array ? 'int32' : 'int64';
}

/**
 * The header of a version 1.0 file, as numpy writes it: padded with spaces so that the data start at a multiple of 64.
 * `room` bytes are kept at least, so that a header can be replaced by one with a longer shape.
 */
export function encodeNpyHeader(dtype: NpyDtype, shape: readonly number[], room = 0): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${types[dtype].descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const total = Math.ceil(Math.max(room, 10 + dictionary.length + 1) / 64) * 64;
  const text = `${dictionary.padEnd(total - 11)}\n`;
  const bytes = new Uint8Array(total);
  bytes.set(Buffer.from(MAGIC, 'latin1'));
  bytes.set([1, 0, text.length & 255, text.length >> 8], 6);
  bytes.set(Buffer.from(text, 'latin1'), 10);
  return bytes;
}

/**
 * Reads the header from the first bytes of a file (versions 1, 2 and 3).
 *
 * Errors: `npy/damaged` for anything that is not such a header, `npy/unsupported` for big-endian and other element
 * types, Fortran order and records, which exist but are not read here.
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const damaged = (what: string) =>
    new ConvbaseError('npy/damaged', what, {
      where,
      fix: 'Make the file again, or copy it again from its source.',
    });
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || text.toString('latin1', 0, 6) !== MAGIC) throw damaged('not a .npy file');
  const version = text.readUInt8(6);
  if (version < 1 || version > 3) throw damaged(`.npy version ${version} does not exist`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw damaged('the header is cut off');
  const length = version === 1 ? text.readUInt16LE(8) : text.readUInt32LE(8);
  if (length > MAX_HEADER_BYTES) throw damaged(`a header of ${length} bytes`);
  if (bytes.length < start + length) throw damaged('the header is cut off');
  const header = text.toString('utf8', start, start + length);

  const descr = /'descr':\s*(?:'([^']*)'|(\[))/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const tuple = /'shape':\s*\(([\d\sL,]*)\)/.exec(header)?.[1];
  if (!/^\{.*\}\s*$/s.test(header) || descr === null || order === undefined || tuple === undefined) {
    throw damaged('the header is not the dictionary that numpy writes');
  }
  const sizes = tuple.split(',').map((size) => size.trim().replace(/L$/, ''));
  if (sizes.at(-1) === '') sizes.pop();
  const shape = sizes.map((size) => (/^\d+$/.test(size) ? Number(size) : NaN));
  const dtype = dtypeNamed(descr[1] ?? 'record', where);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(elementCount(shape) * 8)) {
    throw damaged(`the shape (${tuple}) cannot be`);
  }
  if (order === 'True' && shape.length > 1) {
    throw new ConvbaseError('npy/unsupported', 'the array is in Fortran order (columns first)', {
      where,
      fix: 'Save it row by row: numpy.save(path, numpy.ascontiguousarray(array)).',
    });
  }
  return { dtype, shape, dataOffset: start + length };
}

function dtypeNamed(descr: string, where: string): NpyDtype {
  const alike = descr.replace(/^[=|<](?=[uib]1$)/, '|').replace(/^=/, '<');
  for (const dtype of Object.keys(types) as NpyDtype[]) if (types[dtype].descr === alike) return dtype;
  throw new ConvbaseError('npy/unsupported', `elements of type ${JSON.stringify(descr)} are not read`, {
    where,
    fix: "Convert them first: numpy.save(path, array.astype('<f4')); also '|u1', '<i4' and '<i8' are read.",
  });
}
