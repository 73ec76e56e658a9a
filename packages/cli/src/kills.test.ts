import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@convbase/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inChild } from './testing/runs.ts';
import {
  killed,
  differences,
  leftovers,
  operationsOf,
  ownCache,
  results,
  writeSamples,
  writingCommands,
  type WritingCommand,
} from './testing/writers.ts';

/**
 * Every command that writes what users keep, killed: just before operations on files, and at random moments. What is there
 * then is whole, the same command again comes to the same bytes, and nothing is left of those that were killed.
 *
 * On the build. CONVBASE_KILLS=all kills before every operation of every command, a number that many times at random
 * moments; CONVBASE_KILL_SEED chooses others.
 */

const wanted = process.env['CONVBASE_KILLS'];
const random = new Random(Number(process.env['CONVBASE_KILL_SEED'] ?? 1));
/** Of each command, where not all are wanted. */
const SAMPLE = 2;
const moments = wanted === 'all' ? 0 : Number(wanted ?? 3);
const patienceMs = wanted === undefined ? 300_000 : 24 * 3_600_000;

interface Whole {
  readonly operations: readonly string[];
  readonly ms: number;
  readonly expected: Record<string, string>;
  readonly cached: Record<string, string>;
}

let root: string;
let commands: readonly WritingCommand[];
const whole = new Map<string, Promise<Whole>>();
let places = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-kills-'));
  const env = await ownCache(join(root, 'cache'));
  commands = writingCommands(await writeSamples(root, env));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

interface Place {
  readonly base: string;
  readonly out: string;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A folder of its own, with a cache of its own, ready for the command's first run. */
async function place(command: WritingCommand): Promise<Place> {
  const base = join(root, `place-${places++}`);
  const env = await ownCache(join(base, 'cache'));
  const out = join(base, 'out');
  await command.prepare?.(out);
  return { base, out, cache: join(base, 'cache', 'prefix'), env };
}

/** What a command does when nothing stops it. */
function uninterrupted(command: WritingCommand): Promise<Whole> {
  const there = whole.get(command.name);
  if (there !== undefined) return there;
  const made = (async (): Promise<Whole> => {
    const { base, out, cache, env } = await place(command);
    const begun = Date.now();
    const operations = await operationsOf(command.args(out), env, join(base, 'operations'));
    const ms = Date.now() - begun;
    expect(await leftovers(out, cache)).toEqual([]);
    return { operations, ms, expected: await results(out), cached: await results(cache) };
  })();
  whole.set(command.name, made);
  return made;
}

/** The same command again comes to the end, and to what it comes to when nothing stops it. */
async function completes(command: WritingCommand, { base, out, cache, env }: Place): Promise<void> {
  const { expected, cached } = await uninterrupted(command);
  const again = await inChild(command.args(out), { env });
  expect(again.code, again.stderr).toBe(0);
  expect(differences(await results(out), expected)).toEqual([]);
  expect(differences(await results(cache), cached)).toEqual([]);
  expect(await leftovers(out, cache)).toEqual([]);
  await rm(base, { recursive: true });
}

const named = (name: string): WritingCommand => {
  const found = commands.find((command) => command.name === name);
  if (found === undefined) throw new Error(`there is no command ${name}`);
  return found;
};

const all = [
  ...['extract', 'train', 'finetune', 'recipe run', 'convert to TensorFlow.js', 'convert to Keras'],
] as const;

describe.runIf(wanted === undefined || wanted === 'all')('killed before an operation', () => {
  it.each(all)(
    '%s goes on',
    async (name) => {
      const command = named(name);
      const { operations } = await uninterrupted(command);
      const numbers = operations.map((_, number) => number);
      const chosen = wanted === 'all' ? numbers : sample(numbers, SAMPLE);
      const failures: string[] = [];
      for (const at of chosen) {
        const here = await place(command);
        try {
          expect(await killed(command.args(here.out), here.env, { at })).toBe(true);
          await command.isWhole?.(here.out);
          await completes(command, here);
        } catch (error) {
          // Which of them fail says more than the first one.
          failures.push(`${name}, before operation ${at} (${operations[at] ?? ''}): ${messageOf(error)}`);
        }
      }
      await report(
        `${name}: ${operations.length} operations, ${chosen.length} kills, ${failures.length} failures`,
      );
      expect(failures).toEqual([]);
    },
    patienceMs,
  );
});

describe.runIf(moments > 0)('killed at random moments', () => {
  it(
    `all commands go on (${moments} kills)`,
    async () => {
      const failures: string[] = [];
      const begun = new Map<string, Place>();
      let completed = 0;
      for (let kill = 0; kill < moments;) {
        const command = named(all[kill % all.length] ?? '');
        const { ms } = await uninterrupted(command);
        // One place is killed again and again until it is done.
        const here = begun.get(command.name) ?? (await place(command));
        begun.set(command.name, here);
        const afterMs = random.below(Math.ceil(ms));
        try {
          if (await killed(command.args(here.out), here.env, { afterMs })) kill++;
          else {
            await completes(command, here);
            begun.delete(command.name);
            completed++;
            continue;
          }
          await command.isWhole?.(here.out);
        } catch (error) {
          kill++;
          begun.delete(command.name);
          failures.push(`${command.name}, kill ${kill} after ${afterMs} ms: ${messageOf(error)}`);
        }
      }
      for (const [name, here] of begun) {
        await completes(named(name), here).catch((error: unknown) =>
          failures.push(`${name}: ${messageOf(error)}`),
        );
      }
      await report(
        `${moments} kills at random, ${completed + begun.size} completed, ${failures.length} failures`,
      );
      expect(failures).toEqual([]);
    },
    patienceMs,
  );
});

/** With what was found, which a matcher's message leaves out. */
function messageOf(error: unknown): string {
  const actual = error instanceof Error && 'actual' in error ? ` ${String(error.actual)}` : '';
  return String(error) + actual;
}

/** Some of a list, in its order. */
function sample<T>(list: readonly T[], count: number): readonly T[] {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, list.length)) chosen.add(random.below(list.length));
  return list.filter((_, index) => chosen.has(index));
}

/** Figures for who asked for a long run, in the file CONVBASE_KILL_REPORT. */
async function report(line: string): Promise<void> {
  const path = process.env['CONVBASE_KILL_REPORT'];
  if (path !== undefined) await writeFile(path, `${line}\n`, { flag: 'a' });
}
