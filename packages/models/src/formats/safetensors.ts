import { z } from 'zod';
import { ConvbaseError } from '@convbase/base';
import { decodeText, elementCount, malformed, parseJson, unsupported } from './checks.ts';
import { bytesPerElement, toFloat32 } from './numbers.ts';
import type { StoredType } from './numbers.ts';
import { MemorySource } from './source.ts';
import type { ByteSource } from './source.ts';

/** A third of the format's own limit on its JSON header: room for 200,000 tensors, and parsed it takes a gigabyte at most. */
const MAX_HEADER_BYTES = 1 << 25;

const storedTypes: Readonly<Record<string, StoredType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};

/** One tensor of a safetensors file, not yet read. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** The raw little-endian bytes; a view where the file is in memory. */
  bytes(): Uint8Array;
  /** The values as float32 (exact for float32, float16, bfloat16, 8 and 16 bit integers). May be a view. */
  read(): Float32Array;
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The tensor of that name. Throws `file/missing-tensor`. */
  get(name: string): SafetensorsEntry;
}

const tensorSchema = z.looseObject({
  dtype: z.string(),
  shape: z.array(z.number()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** The header's entries; what each holds is checked on its own, so that the message can name it. */
const headerSchema = z.record(z.string(), z.unknown());

const metadataSchema = z.record(z.string(), z.string());

/**
 * Reads a safetensors file: 8 bytes little-endian header length, a JSON header, then the tensors' bytes.
 *
 * Every tensor's dtype, shape and byte range must agree, and the ranges must tile the data without gap or overlap.
 * @throws ConvbaseError `file/malformed`, `file/truncated` or `file/unsupported`
 */
export function readSafetensors(
  file: ByteSource | Uint8Array | ArrayBuffer,
  name = 'safetensors file',
): SafetensorsFile {
  const source =
    file instanceof Uint8Array || file instanceof ArrayBuffer ? new MemorySource(file, name) : file;
  const where = source.name;
  const start = source.bytes(0, 8);
  const headerBytes = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES) throw malformed(where, `its header claims ${headerBytes} bytes`);
  const header = parseJson(decodeText(source.bytes(8, headerBytes), where), where);

  let metadata: Readonly<Record<string, string>> = {};
  const tensors = new Map<string, SafetensorsEntry>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [key, value] of Object.entries(
    checked(headerSchema, header, where, 'its header is no JSON object'),
  )) {
    if (key === '__metadata__') {
      metadata = checked(metadataSchema, value, where, 'its metadata is not text');
      continue;
    }
    const entry = checked(tensorSchema, value, where, `header entry "${key}" describes no tensor`);
    const { dtype, shape, data_offsets: offsets } = entry;
    const type = storedTypes[dtype];
    if (type === undefined || !Object.hasOwn(storedTypes, dtype)) {
      throw unsupported(where, `tensor "${key}" has the unknown dtype ${dtype}`, 'Save it as F32.');
    }
    const [begin, end] = offsets;
    const wanted = elementCount(shape, `${where}, tensor "${key}"`) * bytesPerElement(type);
    if (end - begin !== wanted) {
      throw malformed(where, `tensor "${key}" needs ${wanted} bytes, its offsets give it ${end - begin}`);
    }
    ranges.push({ name: key, begin, end });
    const bytes = () => source.bytes(8 + headerBytes + begin, wanted);
    tensors.set(key, { name: key, dtype: type, shape, bytes, read: () => toFloat32(bytes(), type) });
  }

  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  for (const range of ranges) {
    if (range.begin !== next)
      throw malformed(where, `the data of tensor "${range.name}" leaves a gap or overlaps`);
    next = range.end;
  }
  const dataBytes = source.size - 8 - headerBytes;
  if (next > dataBytes) {
    throw new ConvbaseError('file/truncated', `its tensors need ${next} bytes, ${dataBytes} are there`, {
      where,
      fix: 'The file is cut short: fetch or save it again.',
    });
  }
  if (next < dataBytes) throw malformed(where, `${dataBytes - next} bytes at its end belong to no tensor`);

  return {
    metadata,
    tensors,
    get(tensorName) {
      const tensor = tensors.get(tensorName);
      if (tensor !== undefined) return tensor;
      throw new ConvbaseError('file/missing-tensor', `it has no tensor "${tensorName}"`, { where });
    },
  };
}

function checked<T>(schema: z.ZodType<T>, value: unknown, where: string, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw malformed(where, what, parsed.error);
}

/** A tensor to be written. */
export interface SafetensorsValue {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

/**
 * The bytes of a safetensors file with these tensors, in this order.
 *
 * The header is padded with spaces so that the data starts at a multiple of 8 and can be viewed in place.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, SafetensorsValue>> | Iterable<readonly [string, SafetensorsValue]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = isIterable(tensors) ? [...tensors] : Object.entries(tensors);
  // Wide elements first, so that every tensor stays aligned to its element size (as the reference writer does).
  entries.sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const [name, { shape, data }] of entries) {
    if (elementCount(shape, `tensor "${name}"`) !== data.length) {
      throw new ConvbaseError(
        'tensor/shape',
        `shape [${shape.join(', ')}] does not hold ${data.length} values`,
        {
          where: `tensor "${name}"`,
        },
      );
    }
    const dtype = data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : 'U8';
    header.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.byteLength / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(json, 8);
  file.fill(0x20, 8 + json.byteLength, 8 + headerBytes);
  let position = 8 + headerBytes;
  for (const [, { data }] of entries) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return file;
}

type Named = readonly [string, SafetensorsValue];

function isIterable(
  value: Readonly<Record<string, SafetensorsValue>> | Iterable<Named>,
): value is Iterable<Named> {
  return Symbol.iterator in value;
}
