import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { maskedCrc32c } from './crc32c.ts';

/** An event as a reader of its own understands it: the fields that this project writes. */
export interface ReadEvent {
  readonly step: number;
  readonly version?: string;
  readonly tag?: string;
  readonly plugin?: string;
  /** One number, or the rows of a histogram. */
  readonly values?: Float32Array | Float64Array;
}

/** All events of all files in a folder, in order; checks every frame. */
export function readEvents(folder: string): ReadEvent[] {
  const files = readdirSync(folder).sort();
  return files.flatMap((name) => eventsOf(readFileSync(join(folder, name))));
}

function eventsOf(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 8) !== maskedCrc32c(file.subarray(at, at + 8)))
      throw new Error('length damaged');
    if (file.readUInt32LE(at + 12 + length) !== maskedCrc32c(data)) throw new Error('data damaged');
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}

function eventOf(data: Uint8Array): ReadEvent {
  const { 2: step = 0, 3: version, 5: summary } = fieldsOf(data);
  const event = { step: Number(step), ...(version === undefined ? {} : { version: text(version) }) };
  if (summary === undefined) return event;
  const value = fieldsOf(bytes(fieldsOf(bytes(summary))[1]));
  const tensor = fieldsOf(bytes(value[8]));
  const content = Uint8Array.from(bytes(tensor[4])).buffer;
  const plugin = fieldsOf(bytes(fieldsOf(bytes(value[9]))[1]))[1];
  const values = tensor[1] === 1 ? new Float32Array(content) : new Float64Array(content);
  return { ...event, tag: text(value[1]), plugin: text(plugin), values };
}

/** The last value of each field: numbers of any kind, or bytes. */
function fieldsOf(data: Uint8Array): Record<number, number | Uint8Array> {
  const reader = new BinaryReader(data);
  const fields: Record<number, number | Uint8Array> = {};
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) fields[field] = reader.bytes();
    else fields[field] = type === WireType.Bit64 ? reader.double() : Number(reader.int64());
  }
  return fields;
}

function bytes(field: number | Uint8Array | undefined): Uint8Array {
  if (field instanceof Uint8Array) return field;
  throw new Error('a field is missing');
}

function text(field: number | Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes(field));
}
