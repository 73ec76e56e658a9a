import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { attack } from './attack.ts';
import { endsWell } from './fuzz.ts';
import type { FuzzTarget, Input } from './fuzz-target.ts';

/**
 * For a test: the inputs that once failed, and then damaged ones, always the same, have to end well; most of them behind
 * the first look.
 *
 * @param fixtures the folder with a folder of failed inputs for each target, which need not exist
 */
export async function withstands(target: FuzzTarget, fixtures: string): Promise<void> {
  for (const input of failedBefore(join(fixtures, target.name))) await endsWell(() => target.read(input));
  const { failures, inputs, deep } = await attack(target, { seed: 1, runs: target.runs });
  expect(
    failures.map(({ index, what }) => `input ${index}: ${what}`),
    'failed',
  ).toEqual([]);
  expect(inputs).toBe(target.runs);
  expect((100 * deep) / inputs, 'inputs that come past the first look, in percent').toBeGreaterThan(
    target.deep ?? 30,
  );
}

/** Each a folder of the files of an input. */
function failedBefore(folder: string): Input[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((one) => {
    const names = readdirSync(join(folder, one));
    return Object.fromEntries(
      names.map((name) => [name, new Uint8Array(readFileSync(join(folder, one, name)))]),
    );
  });
}
