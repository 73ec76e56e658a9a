import fc from 'fast-check';
import { expect } from 'vitest';
import { ConvbaseError } from '../errors.ts';

/** `CONVBASE_FUZZ_SECONDS=600 npx vitest run fuzz`: so long for each attack, from a seed that a failure names. */
const seconds = Number(process.env['CONVBASE_FUZZ_SECONDS'] ?? 0);

/** What one damaged file may cost: far more than any needs, far less than what hurts. */
const MAX_CPU_SECONDS = 15;
const MAX_GROWTH_BYTES = 1.5e9;

/**
 * Attacks with generated inputs: `quickRuns` of them that are always the same, or for as long as
 * `CONVBASE_FUZZ_SECONDS` asks. What fails is reported as small as fast-check can make it.
 */
export async function fuzz<T>(
  inputs: fc.Arbitrary<T>,
  quickRuns: number,
  attack: (input: T) => Promise<void>,
): Promise<void> {
  const runs =
    seconds > 0
      ? { numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false }
      : { numRuns: quickRuns, seed: 1 };
  await fc.assert(fc.asyncProperty(inputs, attack), runs);
}

/**
 * Runs what reads something hostile. It may give a result or a ConvbaseError, which is returned; any other error
 * passes through and fails the test, and so does too much time or memory.
 */
export async function endsWell<T>(read: () => T | Promise<T>): Promise<T | ConvbaseError> {
  const cpu = process.cpuUsage();
  const before = process.memoryUsage.rss();
  let result: T | ConvbaseError;
  try {
    result = await read();
  } catch (error) {
    if (!(error instanceof ConvbaseError)) throw error;
    result = error;
  }
  const { user, system } = process.cpuUsage(cpu);
  expect((user + system) / 1e6, 'seconds').toBeLessThan(MAX_CPU_SECONDS);
  expect(process.memoryUsage.rss() - before, 'bytes').toBeLessThan(MAX_GROWTH_BYTES);
  return result;
}
