import { join } from 'node:path';
import fc from 'fast-check';
import {
  among,
  damagedJsonFile,
  damagedText,
  encode,
  inFolder,
  type FuzzTarget,
} from '../../../../base/src/testing/fuzz-target.ts';
import { RunFolder, type RunRecord } from '../../run/run-folder.ts';
import { recipeText, yamlWords } from './recipe.ts';
import { stageRecord } from './stage-record.ts';

const runRecord: RunRecord = {
  ...{ format: 'convbase-run', version: 1, name: 'r', status: 'finished', data: 'pets' },
  ...{ checksums: { data: 'a', base: 'b' }, adapter: 'some adapter', classNames: ['a', 'b'] },
  samples: { train: 10, validation: 4, test: 4 },
  stages: [stageRecord],
  seconds: 4,
  input: { seconds: 3, waited: 1, between: 0.5, bottleneck: 'input' },
  result: {
    test: { on: 'test', samples: 4, loss: 0.5, accuracy: 1 },
    sweep: [{ layer: 'l', features: 8, epochs: 2, logs: { loss: 1 }, test: null }],
    classifier: 'classifier.keras',
  },
};

export function runTarget(scratch: string): FuzzTarget {
  const whole = {
    'run.json': encode(JSON.stringify(runRecord, undefined, 2)),
    'recipe.yaml': encode(recipeText),
  };
  return {
    name: 'run',
    whole: [{ input: whole, gives: ['r', 1, 2] }],
    damaged: fc.oneof(
      { weight: 4, arbitrary: among(whole, { 'run.json': damagedJsonFile(runRecord, 2) }) },
      { weight: 1, arbitrary: among(whole, { 'recipe.yaml': damagedText(recipeText, yamlWords) }) },
    ),
    read: async (input) => {
      const found = await new RunFolder(inFolder(join(scratch, 'run'), input)).read();
      return found && [found.record.name, found.record.stages.length, found.recipe.stages.length];
    },
    runs: 800,
    deep: 15,
  };
}
