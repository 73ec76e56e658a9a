/**
 * The process that attacks one reader, for `scripts/fuzz.js`, which starts it again behind an input that ended it.
 *
 *     attacker.ts SCRATCH                          lists the targets: a line of JSON with names and runs
 *     attacker.ts SCRATCH TARGET SEED RUNS FIRST   attacks; a line of JSON for each thing to tell
 */
import { mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { attack, readsWhole } from '../../../../base/src/testing/attack.ts';
import type { Input } from '../../../../base/src/testing/fuzz-target.ts';
import { allTargets } from './all-targets.ts';

const [scratch = '', name, seed, runs, first] = process.argv.slice(2);

/** The number of the input that is being read, where the parent process finds it if this one does not come back. */
const place = join(scratch, 'place');
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const targets = await allTargets(join(scratch, 'files'));
if (name === undefined) {
  for (const target of targets) await readsWhole(target);
  say(targets.map((target) => ({ name: target.name, runs: target.runs })));
} else {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  const descriptor = openSync(place, 'w');
  const tally = await attack(target, {
    ...{ seed: Number(seed), runs: Number(runs), first: Number(first) },
    onInput: (index) => writeSync(descriptor, String(index).padEnd(12), 0),
    onNew: (index, input, outcome) => {
      keep('interesting', index, input);
      say({ new: outcome, index });
    },
  });
  for (const { index, input, what } of tally.failures) {
    keep('failed', index, input);
    say({ failed: what, index });
  }
  say({ tally: { ...tally, failures: tally.failures.length } });
}

/** Writes the files of an input into a folder of their own. */
function keep(kind: string, index: number, input: Input): void {
  const folder = join(scratch, kind, name ?? '', `${seed ?? ''}-${index}`);
  for (const [file, bytes] of Object.entries(input)) {
    if (kind === 'interesting' && bytes.length > 20_000) continue;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, file.replaceAll('/', '_')), bytes);
  }
}
