import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inChild } from './testing/runs.ts';
import {
  differences,
  leftovers,
  ownCache,
  results,
  writeSamples,
  writingCommands,
  type WritingCommand,
} from './testing/writers.ts';

/**
 * Several processes that write into one place, or share a cache: each is right, or is refused and told who is there.
 *
 * On the build. CONVBASE_ROUNDS=50 does 50 rounds with 2, 3 and 5 processes each.
 */

const rounds = Number(process.env['CONVBASE_ROUNDS'] ?? 1);
const counts = process.env['CONVBASE_ROUNDS'] === undefined ? [3] : [2, 3, 5];
const patienceMs = process.env['CONVBASE_ROUNDS'] === undefined ? 300_000 : 24 * 3_600_000;

let root: string;
let commands: readonly WritingCommand[];
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-together-'));
  env = await ownCache(join(root, 'cache'));
  commands = writingCommands(await writeSamples(root, env));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** Does something so many times with so many processes each, every time in a place of its own. */
async function eachRound(work: (base: string, count: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const count of counts) {
      const base = join(root, `${round}-${count}`);
      await work(base, count);
      await rm(base, { recursive: true });
    }
  }
}

const named = (name: string): WritingCommand => {
  const found = commands.find((command) => command.name === name);
  if (found === undefined) throw new Error(`there is no command ${name}`);
  return found;
};

const together = <T>(count: number, start: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => start(index)));

it.each(['extract', 'train', 'finetune', 'convert to TensorFlow.js', 'convert to Keras'])(
  '%s into one place is done once, or again, and never half by each',
  async (name) => {
    const command = named(name);
    const alone = join(root, 'alone', 'out');
    const ownEnv = await ownCache(join(root, 'alone', 'cache'));
    await command.prepare?.(alone);
    expect(await inChild(command.args(alone), { env: ownEnv })).toMatchObject({ code: 0 });
    const expected = await results(alone);
    await eachRound(async (base, count) => {
      const out = join(base, 'out');
      const cache = await ownCache(join(base, 'cache'));
      await command.prepare?.(out);
      const outcomes = await together(count, () => inChild(command.args(out), { env: cache }));
      for (const { code, stderr } of outcomes) {
        if (code !== 0) expect(stderr).toMatch(/error: .*out.*: process \d+ on .* is writing here/);
      }
      expect(outcomes.some(({ code }) => code === 0)).toBe(true);
      expect(differences(await results(out), expected)).toEqual([]);
      expect(await leftovers(base)).toEqual([]);
    });
    await rm(join(root, 'alone'), { recursive: true });
  },
  patienceMs,
);

it(
  'runs of their own share a cache',
  async () => {
    const command = named('recipe run');
    await eachRound(async (base, count) => {
      const cache = await ownCache(join(base, 'cache'));
      const outcomes = await together(count, (index) =>
        inChild(command.args(join(base, String(index))), { env: cache }),
      );
      for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0);
      const [first, ...others] = await Promise.all(
        outcomes.map((_, index) => results(join(base, String(index)))),
      );
      for (const other of others) expect(differences(other, first ?? {})).toEqual([]);
      expect(await leftovers(base)).toEqual([]);
    });
  },
  patienceMs,
);
