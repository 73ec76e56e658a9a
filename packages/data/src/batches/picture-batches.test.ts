import { shuffledIndices } from '@convbase/base';
import { expect, test, vi } from 'vitest';
import { PictureError } from '../decode/picture-error.ts';
import type { PictureSet } from '../picture/picture-set.ts';
import { encodeLabels } from './labels.ts';
import { type PictureBatch, pictureBatches } from './picture-batches.ts';

const size = { height: 2, width: 2 };

/** `count` pictures of one pixel each, whose grey is their number; those in `bad` cannot be decoded. */
function greys(count: number, { classes = 2, bad = [] as number[] } = {}): PictureSet & { decoded: number } {
  return {
    decoded: 0,
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    length: count,
    name: (index) => `${index}.png`,
    label: (index) => index % classes,
    async picture(index) {
      this.decoded++;
      await new Promise(setImmediate);
      if (bad.includes(index)) throw new PictureError('picture/empty', 'the file is empty', `${index}.png`);
      return { width: 1, height: 1, data: new Uint8Array(3).fill(index) };
    },
  };
}

async function all(batches: AsyncIterable<PictureBatch>): Promise<PictureBatch[]> {
  const list: PictureBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

test('pictures, labels and places go together; the last batch is smaller', async () => {
  const dataset = pictureBatches(greys(5), { size, batchSize: 2, preprocess: 'tf' });
  expect([dataset.sampleCount, dataset.batchCount]).toEqual([5, 3]);
  const batches = await all(dataset.batches(0));
  expect(batches.map((batch) => batch.x.shape)).toEqual([
    [2, 2, 2, 3],
    [2, 2, 2, 3],
    [1, 2, 2, 3],
  ]);
  expect(batches.map((batch) => batch.indices)).toEqual([[0, 1], [2, 3], [4]]);
  expect(batches[1]?.x).toEqual({
    data: new Uint8Array([...Array<number>(12).fill(2), ...Array<number>(12).fill(3)]),
    shape: [2, 2, 2, 3],
    preprocess: 'tf',
  });
  expect(batches[1]?.y).toEqual({ data: new Float32Array([0, 1]), shape: [2, 1] });
  expect(batches[2]?.x.data.length).toBe(12);
});

test('labels are one-hot for other than two classes, or when asked for', () => {
  expect(encodeLabels([2, 0], 3)).toEqual({ data: new Float32Array([0, 0, 1, 1, 0, 0]), shape: [2, 3] });
  expect(encodeLabels([1], 2, 'oneHot')).toEqual({ data: new Float32Array([0, 1]), shape: [1, 2] });
  expect(encodeLabels([1, 0], 2)).toEqual({ data: new Float32Array([1, 0]), shape: [2, 1] });
});

test('each epoch has its own order, every run the same', async () => {
  const orderOf = async (epoch: number) => {
    const dataset = pictureBatches(greys(20), { size, batchSize: 8, shuffle: true, seed: 3 });
    return (await all(dataset.batches(epoch))).flatMap((batch) => batch.indices);
  };
  expect(await orderOf(1)).toEqual([...shuffledIndices(20, 3, 1)]);
  expect(await orderOf(1)).toEqual(await orderOf(1));
  expect(await orderOf(2)).not.toEqual(await orderOf(1));
});

test('a bad picture is refused by name', async () => {
  const dataset = pictureBatches(greys(9, { bad: [4, 7] }), { size, batchSize: 3 });
  await expect(all(dataset.batches(0))).rejects.toMatchObject({ code: 'picture/empty', where: '4.png' });
});

test('bad pictures are skipped, told of once, and later epochs know them', async () => {
  const set = greys(9, { bad: [4, 7] });
  const onSkip = vi.fn();
  const dataset = pictureBatches(set, { size, batchSize: 3, onBadImage: 'skip', onSkip });
  const places = async (epoch: number) => (await all(dataset.batches(epoch))).map((batch) => batch.indices);
  expect(await places(0)).toEqual([[0, 1, 2], [3, 5, 6], [8]]);
  expect([dataset.sampleCount, dataset.batchCount, [...dataset.bad.keys()]]).toEqual([7, 3, [4, 7]]);
  set.decoded = 0;
  expect(await places(1)).toEqual([[0, 1, 2], [3, 5, 6], [8]]);
  expect(set.decoded).toBe(7);
  expect(
    onSkip.mock.calls.map(([error, index]: unknown[]) => [(error as PictureError).where, index]),
  ).toEqual([
    ['4.png', 4],
    ['7.png', 7],
  ]);
});

test('skipping in a shuffled epoch gives the same order whether the bad ones are known or not', async () => {
  const options = { size, batchSize: 4, onBadImage: 'skip', shuffle: true, seed: 1 } as const;
  const fresh = pictureBatches(greys(12, { bad: [5] }), options);
  const used = pictureBatches(greys(12, { bad: [5] }), options);
  await all(used.batches(0));
  const places = (list: PictureBatch[]) => list.map((batch) => batch.indices);
  expect(places(await all(used.batches(1)))).toEqual(places(await all(fresh.batches(1))));
});

test.each(['refuse', 'skip'] as const)('an epoch can be entered at any batch: %s', async (onBadImage) => {
  const bad = onBadImage === 'skip' ? [0, 3, 4, 11] : [];
  const dataset = () =>
    pictureBatches(greys(14, { bad }), { size, batchSize: 3, onBadImage, shuffle: true, seed: 2 });
  const whole = (await all(dataset().batches(1))).map((batch) => batch.indices);
  for (let first = 0; first <= whole.length; first++) {
    const rest = (await all(dataset().batches(1, first))).map((batch) => batch.indices);
    expect(rest).toEqual(whole.slice(first));
  }
});

test('nothing but bad pictures is an error even when they are skipped', async () => {
  const dataset = pictureBatches(greys(2, { bad: [0, 1] }), { size, onBadImage: 'skip' });
  await expect(all(dataset.batches(0))).rejects.toMatchObject({
    code: 'data/all-bad',
    fix: expect.stringContaining('0.png') as string,
  });
  await expect(all(dataset.batches(1))).rejects.toMatchObject({ code: 'data/all-bad' });
});

test('other errors than bad pictures are never skipped', async () => {
  const set = { ...greys(2), picture: () => Promise.reject(new Error('the disk is on fire')) };
  const dataset = pictureBatches(set, { size, onBadImage: 'skip' });
  await expect(all(dataset.batches(0))).rejects.toThrow('the disk is on fire');
  const large = {
    ...greys(2),
    picture: () => Promise.resolve({ width: 3, height: 1, data: new Uint8Array(9) }),
  };
  const padded = pictureBatches(large, { size, resize: 'pad', onBadImage: 'skip' });
  await expect(all(padded.batches(0))).rejects.toMatchObject({ code: 'picture/resize', where: '0.png' });
});

test('it reads ahead, but no further than said', async () => {
  const set = greys(100);
  const batches = pictureBatches(set, { size, batchSize: 4, prefetch: 2 }).batches(0);
  await batches.next();
  for (let i = 0; i < 100; i++) await new Promise(setImmediate);
  expect(set.decoded).toBeGreaterThan(4);
  expect(set.decoded).toBeLessThanOrEqual(4 + 3 * 4);
  await batches.return();
});

test('abort ends an epoch with its reason', async () => {
  const controller = new AbortController();
  const batches = pictureBatches(greys(50), { size, batchSize: 2, signal: controller.signal }).batches(0);
  await batches.next();
  const reason = new Error('Ctrl-C');
  controller.abort(reason);
  await expect(batches.next()).rejects.toBe(reason);
});

test('batches that no memory holds are refused before anything is decoded', () => {
  const set = greys(5);
  const huge = { height: 50_000, width: 50_000 };
  expect(() => pictureBatches(set, { size: huge })).toThrow(/50000 x 50000 pictures: .* smaller batch/s);
  // A large batch of few pictures is not large.
  expect(pictureBatches(set, { size, batchSize: 10 ** 9 }).batchCount).toBe(1);
  expect(set.decoded).toBe(0);
});

test('several batches are made ready ahead of the reader', async () => {
  const set = greys(400);
  const reading = pictureBatches(set, { size, batchSize: 8, decoders: 40 }).batches(0);
  await reading.next();
  await vi.waitFor(() => {
    expect(set.decoded).toBe(7 + 9 * 8);
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  await reading.return();
  expect(set.decoded).toBe(7 + 9 * 8);
});
