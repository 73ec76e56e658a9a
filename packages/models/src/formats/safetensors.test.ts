import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openModelFile } from './open.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { hasShared, shared } from './testing/files.ts';

/** A file from a raw header and data, to say what a writer never would. */
function fileOf(header: string, data: Uint8Array = new Uint8Array(0), claimed = header.length): Uint8Array {
  const file = new Uint8Array(8 + header.length + data.byteLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(claimed), true);
  file.set(new TextEncoder().encode(header), 8);
  file.set(data, 8 + header.length);
  return file;
}

const entry = (dtype: string, shape: unknown, offsets: unknown) =>
  JSON.stringify({ t: { dtype, shape, data_offsets: offsets } });

describe('readSafetensors', () => {
  test('reads back what writeSafetensors wrote', () => {
    const file = writeSafetensors(
      {
        bytes: { shape: [3], data: Uint8Array.of(1, 2, 255) },
        floats: { shape: [2, 2], data: Float32Array.of(1, -0, NaN, 1e-40) },
        whole: { shape: [], data: Int32Array.of(-7) },
        nothing: { shape: [0, 4], data: new Float32Array(0) },
      },
      { cases: '[1, "ü"]' },
    );
    const read = readSafetensors(file);
    expect(read.metadata).toEqual({ cases: '[1, "ü"]' });
    expect(read.get('floats').read()).toEqual(Float32Array.of(1, -0, NaN, 1e-40));
    expect(read.get('floats').shape).toEqual([2, 2]);
    expect([...read.get('bytes').bytes()]).toEqual([1, 2, 255]);
    expect(read.get('whole').dtype).toBe('int32');
    expect(read.get('whole').read()).toEqual(Float32Array.of(-7));
    expect(read.get('nothing').read()).toHaveLength(0);
    expect(() => read.get('missing')).toThrow(/missing/);
  });

  test('gives views, not copies, of aligned floats in memory', () => {
    const file = writeSafetensors({ t: { shape: [4], data: Float32Array.of(1, 2, 3, 4) } });
    expect(readSafetensors(file).get('t').read().buffer).toBe(file.buffer);
    const shifted = new Uint8Array(file.byteLength + 1);
    shifted.set(file, 1);
    expect(readSafetensors(shifted.subarray(1)).get('t').read()).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  test('widens every element type', () => {
    const half = fileOf(
      entry('F16', [5], [0, 10]),
      new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00).buffer),
    );
    expect(readSafetensors(half).get('t').read()).toEqual(Float32Array.of(1, -2, 2 ** -24, Infinity, NaN));
    const brain = fileOf(entry('BF16', [2], [0, 4]), new Uint8Array(Uint16Array.of(0x3f80, 0xc000).buffer));
    expect(readSafetensors(brain).get('t').read()).toEqual(Float32Array.of(1, -2));
    const long = fileOf(entry('I64', [2], [0, 16]), new Uint8Array(BigInt64Array.of(-5n, 7n).buffer));
    expect(readSafetensors(long).get('t').read()).toEqual(Float32Array.of(-5, 7));
    const double = fileOf(entry('F64', [1], [0, 8]), new Uint8Array(Float64Array.of(0.5).buffer));
    expect(readSafetensors(double).get('t').read()).toEqual(Float32Array.of(0.5));
  });

  const four = new Uint8Array(4);
  test.each([
    ['an empty file', new Uint8Array(0), 'file/truncated'],
    ['half a length', new Uint8Array(5), 'file/truncated'],
    ['a header longer than the file', fileOf('{}', four, 1000), 'file/truncated'],
    ['a header of 2^63 bytes', fileOf('{}', four, Number.MAX_SAFE_INTEGER), 'file/malformed'],
    ['a header that is no JSON', fileOf('{"t"'), 'file/malformed'],
    ['a header that is a list', fileOf('[]'), 'file/malformed'],
    ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}'), 'file/malformed'],
    [
      'metadata that looks like a tensor',
      fileOf('{"__metadata__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', four),
      'file/malformed',
    ],
    ['a tensor that looks like metadata', fileOf('{"t":{"dtype":"F32"}}'), 'file/malformed'],
    ['an unknown dtype', fileOf(entry('F8_E4M3', [4], [0, 4]), four), 'file/unsupported'],
    ['a dtype that names a method', fileOf(entry('constructor', [1], [0, 4]), four), 'file/unsupported'],
    ['a negative extent', fileOf(entry('F32', [-1], [0, 4]), four), 'file/malformed'],
    ['half an extent', fileOf(entry('F32', [0.5, 2], [0, 4]), four), 'file/malformed'],
    ['a shape that overflows', fileOf(entry('F32', [2 ** 31, 2 ** 31], [0, 4]), four), 'file/malformed'],
    [
      'a shape that overflows to 4 bytes',
      fileOf(entry('F32', [2 ** 32, 2 ** 32, 0, 1], [0, 4]), four),
      'file/malformed',
    ],
    ['offsets in the wrong order', fileOf(entry('F32', [1], [4, 0]), four), 'file/malformed'],
    ['offsets beyond the data', fileOf(entry('F32', [2], [0, 8]), four), 'file/truncated'],
    ['offsets that start late', fileOf(entry('F32', [1], [4, 8]), new Uint8Array(8)), 'file/malformed'],
    ['negative offsets', fileOf(entry('F32', [1], [-4, 0]), four), 'file/malformed'],
    ['data that belongs to nothing', fileOf(entry('F32', [1], [0, 4]), new Uint8Array(9)), 'file/malformed'],
    [
      'overlapping tensors',
      fileOf(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        four,
      ),
      'file/malformed',
    ],
  ])('refuses %s', (_what, file, code) => {
    expect(() => readSafetensors(file, 'x.safetensors')).toThrow(
      expect.objectContaining({ code, where: expect.stringContaining('x.safetensors') as string }),
    );
  });

  test('whatever the header, it ends in a value or a ConvbaseError', () => {
    const good = writeSafetensors({ a: { shape: [3], data: Float32Array.of(1, 2, 3) } }, { k: 'v' });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
        const bad = good.slice(0, length);
        if (at < length) bad[at] = byte;
        try {
          readSafetensors(bad).tensors.forEach((tensor) => tensor.read());
        } catch (error) {
          expect(error).toHaveProperty('name', 'ConvbaseError');
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('opens as a model: tensors grouped by layer', async () => {
    const data = writeSafetensors({
      'dense/kernel': { shape: [2, 1], data: Float32Array.of(1, 2) },
      'dense/bias': { shape: [1], data: Float32Array.of(3) },
    });
    const file = await openModelFile(data);
    expect(file.format).toBe('safetensors');
    expect(file.layers.map(({ name, weights }) => [name, ...weights.map((w) => w.name)])).toEqual([
      ['dense', 'kernel', 'bias'],
    ]);
    file.close();
  });

  test.runIf(hasShared)('reads every golden file in ../shared', () => {
    for (const folder of ['golden/ops', 'golden/models']) {
      for (const name of readdirSync(shared(folder)).filter((entryName) =>
        entryName.endsWith('.safetensors'),
      )) {
        const file = readSafetensors(readFileSync(shared(`${folder}/${name}`)), name);
        expect(file.tensors.size, name).toBeGreaterThan(0);
        expect(() => JSON.parse(file.metadata['cases'] ?? '') as unknown, name).not.toThrow();
        for (const tensor of file.tensors.values()) tensor.read();
      }
    }
  });
});

describe('writeSafetensors', () => {
  test('refuses a shape that does not hold the data', () => {
    expect(() => writeSafetensors({ t: { shape: [2], data: new Float32Array(3) } })).toThrow(
      /does not hold 3 values/,
    );
  });
});
