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

test('a picture that cannot be resized is an error for who sent it alone', async () => {
  const refusing = program(
    "parentPort.postMessage(picture.data[0] === 7 ? { id, error: 'no room' } : { id, picture });",
  );
  const pool = new ResizePool(1, refusing);
  const both = await Promise.allSettled([7, 8].map((value) => pool.resize(picture(value), size, 'bilinear')));
  expect(both[0]).toMatchObject({ reason: { message: 'the picture was not resized: no room' } });
  expect(both[1]).toMatchObject({ value: { data: Uint8Array.of(8, 8, 8) } });
});

test('a thread that ends tells all who wait for it, and another takes its place', async () => {
  const ending = program(
    'if (picture.data[0] === 7) process.exit(5); parentPort.postMessage({ id, picture });',
  );
  const pool = new ResizePool(1, ending);
  const both = await Promise.allSettled([7, 8].map((value) => pool.resize(picture(value), size, 'bilinear')));
  for (const one of both)
    expect(one).toMatchObject({ reason: { message: expect.stringContaining('code 5') as string } });
  expect((await pool.resize(picture(9), size, 'bilinear')).data[0]).toBe(9);
});

test('what cannot be sent to a thread is an error, and the next picture is resized', async () => {
  const pool = new ResizePool(1, echo);
  const unsendable = { ...picture(1), note: () => 1 };
  await expect(pool.resize(unsendable, size, 'bilinear')).rejects.toThrow(/could not be cloned/);
  expect((await pool.resize(picture(2), size, 'bilinear')).data[0]).toBe(2);
});

test("a picture that was sent is still its set's own", async () => {
  const kept = picture(3);
  await new ResizePool(1, echo).resize(kept, size, 'bilinear');
  expect(kept.data).toEqual(Uint8Array.of(3, 3, 3));
});
