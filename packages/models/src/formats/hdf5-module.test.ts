import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadHdf5 } from './hdf5-module.ts';
import { openModelFile } from './open.ts';
import { MemorySource } from './source.ts';
import { fixture } from './testing/files.ts';

const source = () => new MemorySource(new Uint8Array(readFileSync(fixture('mini_vgg.h5'))), 'vgg');
const works = async (): Promise<number> => {
  const file = await openModelFile(fixture('mini_vgg.h5'));
  const { length } = file.layers;
  file.close();
  return length;
};

test('errors that leave the library take none of its stack along', async () => {
  const library = await loadHdf5();
  const file = library.open(source());
  const { functions } = library;
  // Left alone, it breaks down after 2300 of them.
  const open = () => functions.open('/none', functions.H5F_ACC_RDONLY, false, -1, -1);
  for (let i = 0; i < 4000; i++) {
    expect(() => file.call('none', open)).toThrow(/none: the HDF5 library cannot read it/);
  }
  file.close();
  expect(await works()).toBe(8);
});

test('after a crash the library starts anew, and files that were open say so', async () => {
  const library = await loadHdf5();
  const bystander = await openModelFile(fixture('mini_vgg.h5'));
  const file = library.open(source());
  expect(() =>
    file.call('bad', () => {
      const memory = library.functions as unknown as {
        readonly HEAPU8: Uint8Array;
        _malloc(bytes: number): number;
        _memset(address: number, value: number, bytes: number): number;
      };
      // First overwrites what the library keeps of its open files, then runs out of its memory.
      return memory._memset(memory._malloc(16) - 100_000, 0x5a, memory.HEAPU8.length);
    }),
  ).toThrow(expect.objectContaining({ code: 'file/malformed', where: 'bad' }));
  expect(() => bystander.layers.find((layer) => layer.weights.length > 0)?.weights[0]?.read()).toThrow(
    expect.objectContaining({ code: 'file/closed' }),
  );
  bystander.close();
  file.close();
  expect(await works()).toBe(8);
});

test('what the source says of a failed read is told, not what the library makes of it', async () => {
  const library = await loadHdf5();
  const file = library.open({
    ...{ name: 'flaky', size: 10_000, close: () => undefined, bytes: () => new Uint8Array(0) },
    readInto: () => {
      throw new RangeError('the disk went away');
    },
  });
  const { functions } = library;
  expect(() =>
    file.call('flaky', () => functions.open(file.path, functions.H5F_ACC_RDONLY, false, -1, -1)),
  ).toThrow('the disk went away');
  file.close();
});
