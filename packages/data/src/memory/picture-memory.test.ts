import { expect, test } from 'vitest';
import { pictureBatches } from '../batches/picture-batches.ts';
import type { PictureSet } from '../picture/picture-set.ts';
import { PictureMemory } from './picture-memory.ts';

const size = { height: 2, width: 2 };
const BYTES = 2 * 2 * 3;

/** Pictures of one pixel whose grey is their number, and how often one was decoded. */
function greys(count: number): PictureSet & { decoded: number } {
  return {
    decoded: 0,
    classNames: ['a', 'b'],
    length: count,
    name: (index) => `${index}.png`,
    label: (index) => index % 2,
    picture(index) {
      this.decoded++;
      return Promise.resolve({ width: 1, height: 1, data: new Uint8Array(3).fill(index) });
    },
  };
}

async function pixels(set: PictureSet, memory: PictureMemory | undefined, epoch: number): Promise<number[]> {
  const dataset = pictureBatches(set, {
    size,
    batchSize: 3,
    shuffle: true,
    ...(memory && { memory }),
  });
  const all: number[] = [];
  for await (const { x } of dataset.batches(epoch)) all.push(...x.data);
  return all;
}

test('epochs after the first decode nothing, and see the same pixels', async () => {
  const [set, memory] = [greys(7), new PictureMemory(7 * BYTES)];
  for (const epoch of [0, 1, 2]) {
    expect(await pixels(set, memory, epoch)).toEqual(await pixels(greys(7), undefined, epoch));
  }
  expect(set.decoded).toBe(7);
  expect(memory.bytes).toBe(7 * BYTES);
  memory.clear();
  expect(memory.bytes).toBe(0);
  await pixels(set, memory, 0);
  expect(set.decoded).toBe(14);
});

test('what does not fit is decoded each time', async () => {
  const [set, memory] = [greys(10), new PictureMemory(6 * BYTES + 1)];
  for (const epoch of [0, 1, 2]) {
    expect(await pixels(set, memory, epoch)).toEqual(await pixels(greys(10), undefined, epoch));
  }
  expect(memory.bytes).toBe(6 * BYTES);
  expect(set.decoded).toBe(10 + 4 + 4);
});

test('sets and sizes do not get into each other, and share the room', async () => {
  const memory = new PictureMemory(3 * BYTES);
  const [first, second] = [greys(2), greys(2)];
  await pixels(first, memory, 0);
  expect(memory.of(first, size).get(1)?.data).toEqual(new Uint8Array(BYTES).fill(1));
  expect(memory.of(second, size).get(1)).toBeUndefined();
  expect(memory.of(first, { height: 3, width: 2 }).get(1)).toBeUndefined();
  expect(memory.of(first, size, 'bilinear').get(1)).toBeUndefined();
  await pixels(second, memory, 0);
  await pixels(second, memory, 0);
  expect(second.decoded).toBe(3);
});

test('takes a part of what is free when no bound is given', () => {
  const memory = new PictureMemory();
  memory.of(greys(1), size).keep(0, { ...size, data: new Uint8Array(BYTES) });
  expect(memory.bytes).toBe(BYTES);
});
