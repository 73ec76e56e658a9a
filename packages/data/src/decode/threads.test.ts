import { expect, test } from 'vitest';
import { decodingThreads } from './threads.ts';

test('there are as many threads as libuv makes of the variable', () => {
  const threads = (value?: string): number => decodingThreads({ UV_THREADPOOL_SIZE: value });
  expect(decodingThreads({})).toBe(4);
  expect(threads('16')).toBe(16);
  expect([threads('0'), threads('-3'), threads('many')]).toEqual([1, 1, 1]);
  expect(threads('5000')).toBe(1024);
});
