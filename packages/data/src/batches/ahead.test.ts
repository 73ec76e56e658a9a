import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchesAhead, loadAhead } from './ahead.ts';

/** A loader that notes how many calls are under way and how far it is ahead of the reader. */
function watched(delay: (position: number) => number) {
  const seen = { running: 0, mostRunning: 0, begun: 0, read: 0, mostAhead: 0 };
  const load = async (position: number) => {
    seen.begun++;
    seen.running++;
    seen.mostRunning = Math.max(seen.mostRunning, seen.running);
    seen.mostAhead = Math.max(seen.mostAhead, seen.begun - seen.read);
    await sleep(delay(position));
    seen.running--;
    return position;
  };
  return { seen, load };
}

test('keeps the order and its bounds, whatever the delays', async () => {
  const positive = fc.integer({ min: 1, max: 6 });
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 20 }),
      positive,
      positive,
      fc.infiniteStream(fc.nat({ max: 3 })),
      async (count, ahead, concurrency, delays) => {
        const { seen, load } = watched(() => Number(delays.next().value));
        const got: number[] = [];
        for await (const value of loadAhead(count, load, { ahead, concurrency })) {
          got.push(value);
          seen.read++;
        }
        expect(got).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(seen.mostRunning).toBeLessThanOrEqual(concurrency);
        expect(seen.mostAhead).toBeLessThanOrEqual(ahead);
      },
    ),
    { numRuns: 50 },
  );
});

test('works while the reader is busy', async () => {
  const { seen, load } = watched(() => 1);
  const results = loadAhead(10, load, { ahead: 4, concurrency: 2 });
  await results.next();
  await sleep(60);
  expect(seen.begun).toBe(4);
  await results.return();
});

test('an error comes in its turn, and nothing is under way afterwards', async () => {
  const { seen, load } = watched(() => 2);
  const failing = (position: number) =>
    position === 3 ? Promise.reject(new Error('third')) : load(position);
  const got: number[] = [];
  const reading = (async () => {
    for await (const value of loadAhead(20, failing, { ahead: 8, concurrency: 4 })) got.push(value);
  })();
  await expect(reading).rejects.toThrow('third');
  expect(got).toEqual([0, 1, 2]);
  expect(seen.running).toBe(0);
  expect(seen.begun).toBeLessThan(15);
});

test('stopping early ends all work first', async () => {
  const { seen, load } = watched(() => 5);
  for await (const value of loadAhead(100, load, { ahead: 8, concurrency: 4 })) if (value === 1) break;
  expect(seen.running).toBe(0);
  const { begun } = seen;
  await sleep(20);
  expect(seen.begun).toBe(begun);
});

test('abort comes out with its own reason', async () => {
  const controller = new AbortController();
  const { seen, load } = watched(() => 2);
  const reason = new Error('Ctrl-C');
  const reading = (async () => {
    for await (const value of loadAhead(100, load, { ahead: 8, concurrency: 4, signal: controller.signal })) {
      if (value === 2) controller.abort(reason);
    }
  })();
  await expect(reading).rejects.toBe(reason);
  expect(seen.running).toBe(0);
});

test('fewer large batches are made ready than small ones', () => {
  expect([1, 2 ** 20, 2 ** 25, 100e6, 2 ** 28, 2 ** 31].map(batchesAhead)).toEqual([8, 8, 8, 2, 1, 1]);
});
