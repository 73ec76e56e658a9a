import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { damage, damages } from './damage.ts';
import { damagedJson, jsonDamages } from './damaged-json.ts';

/** What a reader is given: the bytes of one file or more, by their names. */
export type Input = Readonly<Record<string, Uint8Array>>;

/** A reader and what attacks it. */
export interface FuzzTarget {
  /** Also the name of a folder. */
  readonly name: string;
  /** Undamaged inputs, and what the reader makes of each: proof that it reads them to the end. */
  readonly whole: readonly { readonly input: Input; readonly gives: unknown }[];
  readonly damaged: fc.Arbitrary<Input>;
  /** Reads all of an input. */
  readonly read: (input: Input) => unknown;
  /** How many inputs a run of the tests has for it: fewer where each takes long. */
  readonly runs: number;
  /**
   * How many of a hundred damaged inputs at least get past the first look, at which noise fails. Below it the attack is
   * on the signature, and what comes behind it is not tried.
   */
  readonly deep?: number;
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** Files of which some are damaged, the others as they are. */
export function among(
  files: Input,
  damaged: Readonly<Record<string, fc.Arbitrary<Uint8Array>>>,
): fc.Arbitrary<Input> {
  return fc.oneof(
    ...Object.entries(damaged).map(([name, bytes]) => bytes.map((one) => ({ ...files, [name]: one }))),
  );
}

/** A file with damaged bytes, many of them near these offsets. */
export function damagedBytes(original: Uint8Array, places?: readonly number[]): fc.Arbitrary<Uint8Array> {
  return damages.map((list) => damage(original, list, places));
}

/** A JSON file with damaged values; at times the text itself is damaged. */
export function damagedJsonFile(value: unknown, space?: number): fc.Arbitrary<Uint8Array> {
  const text = encode(JSON.stringify(value, undefined, space));
  return fc.oneof(
    { weight: 9, arbitrary: jsonDamages.map((list) => encode(damagedJson(value, list))) },
    { weight: 1, arbitrary: damagedBytes(text) },
  );
}

/** Lines of JSON of which one is damaged. */
export function damagedLines(values: readonly unknown[]): fc.Arbitrary<Uint8Array> {
  const lines = values.map((value) => JSON.stringify(value));
  return fc.tuple(fc.nat(values.length - 1), jsonDamages, fc.boolean()).map(([at, list, broken]) =>
    encode(
      lines
        .with(at, damagedJson(values[at], list).slice(0, broken ? 20 : undefined))
        .map((line) => `${line}\n`)
        .join(''),
    ),
  );
}

/**
 * A safetensors file whose header is damaged: its entries, the JSON in its metadata, or the bytes of the file. The
 * length in front of the header is right where only values are damaged.
 */
export function damagedSafetensors(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const headerBytes = Number(new DataView(original.buffer, original.byteOffset).getBigUint64(0, true));
  const data = original.subarray(8 + headerBytes);
  const header = JSON.parse(decode(original.subarray(8, 8 + headerBytes))) as Record<string, unknown>;
  const metadata = (header['__metadata__'] ?? {}) as Record<string, string>;
  const inside = Object.entries(metadata).filter(([, text]) => text.startsWith('{'));
  const withHeader = (json: string): Uint8Array => {
    const text = encode(json);
    const bytes = new Uint8Array(8 + text.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(data, 8 + text.length);
    return bytes;
  };
  const nested = inside.map(([key, text]) => {
    const value: unknown = JSON.parse(text);
    return jsonDamages.map((list) =>
      withHeader(
        JSON.stringify({ ...header, __metadata__: { ...metadata, [key]: damagedJson(value, list) } }),
      ),
    );
  });
  return fc.oneof(
    { weight: 2, arbitrary: jsonDamages.map((list) => withHeader(damagedJson(header, list))) },
    { weight: 1, arbitrary: damagedBytes(original, [0, 8, 8 + headerBytes]) },
    ...nested.map((arbitrary) => ({ weight: 4, arbitrary })),
  );
}

/** Words that mean something to a format, put into a text or in the place of some of it. */
export function damagedText(text: string, words: readonly string[]): fc.Arbitrary<Uint8Array> {
  const one = fc.record({
    at: fc.noBias(fc.nat(text.length)),
    remove: fc.nat(12),
    word: fc.constantFrom(...words),
    times: fc.constantFrom(1, 1, 1, 2, 50),
  });
  return fc.array(one, { minLength: 1, maxLength: 6 }).map((list) => {
    let damaged = text;
    for (const { at, remove, word, times } of list) {
      damaged = damaged.slice(0, at) + word.repeat(times) + damaged.slice(at + remove);
    }
    return encode(damaged);
  });
}

/** Noise behind one of these signatures. */
export function noiseBehind(starts: readonly string[], maxLength = 400): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength }))
    .map(([start, rest]) => Uint8Array.from([...Buffer.from(start, 'latin1'), ...rest]));
}

/** Puts the files of an input, and nothing else, into a folder; its path. */
export function inFolder(folder: string, input: Input): string {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  for (const [name, bytes] of Object.entries(input)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}
