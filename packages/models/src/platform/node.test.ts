import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { MemorySource } from '../formats/source.ts';
import { sha256 } from './node.ts';

it('lets the program do something else between the pieces of a checksum', async () => {
  const bytes = new Uint8Array(2 ** 24).fill(7);
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const sum = await sha256([new MemorySource(bytes, 'memory')]);
  isDone = true;
  expect(sum).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(turns).toBeGreaterThan(2);
});
