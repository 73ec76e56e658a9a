import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { ConvbaseError } from '../errors.ts';
import { ending, isModest } from './fuzz.ts';
import { encode, type FuzzTarget, type Input } from './fuzz-target.ts';

/** What came of many inputs. */
export interface Tally {
  inputs: number;
  /** Of them, read in spite of the damage. */
  ok: number;
  /** Refused with a ConvbaseError. */
  refused: number;
  /** Read, or refused with other words than noise is. */
  deep: number;
  worstCpuSeconds: number;
  worstGrowthBytes: number;
  readonly failures: Failure[];
}

/** An input that ended badly; `attack` with the same seed makes it again. */
export interface Failure {
  readonly index: number;
  readonly input: Input;
  readonly what: string;
}

export interface AttackOptions {
  /** Decides all inputs. */
  readonly seed: number;
  readonly runs: number;
  /** The first of them to be tried; those before are left out. */
  readonly first?: number;
  /** Told before each input. */
  readonly onInput?: (index: number, input: Input) => void;
  /** Told how each was refused for the first time; numbers in the words are `#`. */
  readonly onNew?: (index: number, input: Input, outcome: string) => void;
}

/** Inputs are made in blocks with a seed each, so that one can be made again without all those before it. */
const BLOCK = 200;

/** Gives a reader damaged inputs. Whole ones have to be read as ever, before and after. */
export async function attack(target: FuzzTarget, options: AttackOptions): Promise<Tally> {
  const { seed, runs, first = 0, onInput, onNew } = options;
  await readsWhole(target);
  const shallow = await outcomesOfNoise(target);
  const seen = new Set(shallow);
  const tally: Tally = {
    ...{ inputs: 0, ok: 0, refused: 0, deep: 0, worstCpuSeconds: 0, worstGrowthBytes: 0 },
    failures: [],
  };
  for (let block = Math.floor(first / BLOCK); block * BLOCK < runs; block++) {
    const count = Math.min(BLOCK, runs - block * BLOCK);
    const inputs = fc.sample(target.damaged, { seed: seed * 1_000_003 + block, numRuns: count });
    for (const [at, input] of inputs.entries()) {
      const index = block * BLOCK + at;
      if (index < first) continue;
      onInput?.(index, input);
      const outcome = await tryOne(target, input, index, tally);
      if (outcome === undefined) continue;
      if (!shallow.has(outcome)) tally.deep++;
      if (seen.has(outcome)) continue;
      seen.add(outcome);
      onNew?.(index, input, outcome);
    }
  }
  await readsWhole(target);
  return tally;
}

/** Throws unless every undamaged input is read to its end. */
export async function readsWhole({ name, whole, read }: FuzzTarget): Promise<void> {
  for (const { input, gives } of whole) deepStrictEqual(await read(input), gives, `${name}, undamaged`);
}

/** Reads an input and counts it. How it ended, in a word; undefined where it ended badly. */
async function tryOne(
  target: FuzzTarget,
  input: Input,
  index: number,
  tally: Tally,
): Promise<string | undefined> {
  tally.inputs++;
  try {
    const { result, cost } = await ending(() => target.read(input));
    tally.worstCpuSeconds = Math.max(tally.worstCpuSeconds, cost.cpuSeconds);
    tally.worstGrowthBytes = Math.max(tally.worstGrowthBytes, cost.growthBytes);
    if (!isModest(cost)) {
      const what = `${cost.cpuSeconds.toFixed(2)} s, ${(cost.growthBytes / 1e6).toFixed(0)} MB: ${outcomeOf(result)}`;
      tally.failures.push({ index, input, what });
    }
    tally[result instanceof ConvbaseError ? 'refused' : 'ok']++;
    return outcomeOf(result);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tally.failures.push({ index, input, what });
    return undefined;
  }
}

/** How a reader refuses what is nothing of the kind. */
async function outcomesOfNoise({ whole, read }: FuzzTarget): Promise<Set<string>> {
  const noise = [
    new Uint8Array(0),
    encode('x'),
    Uint8Array.from({ length: 300 }, (_, i) => (i * 167 + 13) % 256),
  ];
  const outcomes = new Set<string>();
  for (const { input } of whole) {
    for (const name of Object.keys(input)) {
      for (const bytes of noise) {
        const { result } = await ending(() => read({ ...input, [name]: bytes }));
        if (result instanceof ConvbaseError) outcomes.add(outcomeOf(result));
      }
    }
  }
  return outcomes;
}

function outcomeOf(result: unknown): string {
  if (!(result instanceof ConvbaseError)) return 'ok';
  return `${result.code} ${result.message}`.replaceAll(/[\d.]+/g, '#').slice(0, 300);
}
