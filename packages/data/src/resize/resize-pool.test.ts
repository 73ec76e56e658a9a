import { expect, test } from 'vitest';
import { ResizePool } from './resize-pool.ts';

/** A thread's program in place of `resize-worker.js`, which there is only in the build. */
const program = (answer: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort, threadId } from 'node:worker_threads';
      parentPort.on('message', async ({ id, picture, size, mode }) => { ${answer} });`)}`,
  );

const echo = program(
  'parentPort.postMessage({ id, picture: { ...size, data: picture.data, mode, threadId } }, []);',
);
const size = { height: 2, width: 1 };
const picture = (value: number) => ({ height: 1, width: 1, data: Uint8Array.of(value, value, value) });

test('pictures come back to who sent them, from no more threads than there may be', async () => {
  const pool = new ResizePool(2, echo);
  const values = Array.from({ length: 12 }, (_, i) => i);
  const answers = await Promise.all(values.map((value) => pool.resize(picture(value), size, 'bilinear')));
  expect(answers.map(({ data }) => data[0])).toEqual(values);
  expect(answers[3]).toMatchObject({ height: 2, width: 1, mode: 'bilinear' });
  expect(new Set(answers.map((answer) => (answer as { threadId?: number }).threadId)).size).toBe(2);
});

test('one that is idle is asked before another is made', async () => {
  const pool = new ResizePool(4, echo);
  const threads = new Set<unknown>();
  for (let i = 0; i < 4; i++) {
    const answer = await pool.resize(picture(i), size, 'bilinear');
    threads.add((answer as { threadId?: number }).threadId);
  }
  expect(threads.size).toBe(1);
});

test('a thread that fails tells all who wait for it, and another takes its place', async () => {
  const failing = program(
    "if (picture.data[0] === 7) throw new Error('out of order'); parentPort.postMessage({ id, picture });",
  );
  const pool = new ResizePool(1, failing);
  const both = await Promise.allSettled([7, 8].map((value) => pool.resize(picture(value), size, 'bilinear')));
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(String((both[0] as PromiseRejectedResult).reason)).toContain('out of order');
  expect((await pool.resize(picture(9), size, 'bilinear')).data[0]).toBe(9);
});
