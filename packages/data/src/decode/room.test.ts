import { expect, test } from 'vitest';
import { Room } from './room.ts';

/** Work that ends when it is told to, and the order in which it began. */
function jobs(): {
  readonly began: string[];
  readonly job: (name: string) => () => Promise<string>;
  readonly end: (name: string) => Promise<void>;
} {
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    began,
    job: (name) => async () => {
      began.push(name);
      await new Promise<void>((end) => ends.set(name, end));
      return name;
    },
    end: async (name) => {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('lets in as many as fit, the others in the order in which they came', async () => {
  const { began, job, end } = jobs();
  const room = new Room(10);
  const done = [room.use(6, job('a')), room.use(4, job('b')), room.use(5, job('c')), room.use(1, job('d'))];
  await end('nobody');
  expect(began).toEqual(['a', 'b']);
  await end('b');
  // d would fit, but c was there before it.
  expect(began).toEqual(['a', 'b']);
  await end('a');
  expect(began).toEqual(['a', 'b', 'c', 'd']);
  await end('c');
  await end('d');
  expect(await Promise.all(done)).toEqual(['a', 'b', 'c', 'd']);
});

test('lets one in that is too large for it, alone', async () => {
  const { began, job, end } = jobs();
  const room = new Room(10);
  const done = [room.use(1, job('small')), room.use(99, job('large')), room.use(1, job('later'))];
  await end('nobody');
  expect(began).toEqual(['small']);
  await end('small');
  expect(began).toEqual(['small', 'large']);
  await end('large');
  expect(began).toEqual(['small', 'large', 'later']);
  await end('later');
  await Promise.all(done);
});

test('makes room when work fails', async () => {
  const room = new Room(1);
  await expect(room.use(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await room.use(1, () => Promise.resolve('next'))).toBe('next');
});

test('what is in use already counts at once, even past what there is, until it ends', async () => {
  const { began, job, end } = jobs();
  const room = new Room(10);
  const done = [room.use(8, job('a')), room.hold(9, job('b')), room.use(3, job('c'))];
  await end('nobody');
  expect(began).toEqual(['a', 'b']);
  await end('a');
  expect(began).toEqual(['a', 'b']);
  await end('b');
  expect(began).toEqual(['a', 'b', 'c']);
  await end('c');
  await Promise.all(done);
});
