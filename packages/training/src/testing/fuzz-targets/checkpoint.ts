import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EarlyStopping, ReduceLROnPlateau, type Callback } from '@convbase/layers';
import { damagedSafetensors, inFolder, type FuzzTarget } from '../../../../base/src/testing/fuzz-target.ts';
import { readCheckpoint, writeCheckpoint } from '../../checkpoint/index.ts';
import { csvLogger, historyFile, jsonLines } from '../../logs/index.ts';
import { history } from './history.ts';
import { stageRecord } from './stage-record.ts';

/** Everything that a run gives the state in its checkpoint to. */
function callbacksOf(folder: string): Callback[] {
  return [
    historyFile(join(folder, 'history.json')),
    csvLogger(join(folder, 'history.csv')),
    jsonLines(join(folder, 'log.jsonl')),
    new EarlyStopping({ patience: 2 }),
    new ReduceLROnPlateau({ patience: 2 }),
  ];
}

export async function checkpointTarget(scratch: string): Promise<FuzzTarget> {
  const folder = join(scratch, 'checkpoint');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'last.safetensors');
  const state = { wait: '1', best: '0.5', bestEpoch: '0', stoppedEpoch: '0' };
  await writeCheckpoint(path, {
    ...{ base: 'abc', adapter: 'some adapter', done: [stageRecord], stopped: false, seconds: 0.75 },
    position: { epoch: 2, batch: 5, totals: { samples: 40, sums: [1065353216, 3], chances: [40] } },
    training: {
      tensors: { 'weights/a/kernel': { shape: [2, 1], data: Float32Array.of(1, -0) } },
      numbers: { iterations: 7, 'random/dropout': 12 },
    },
    others: { '3/b/bias': { shape: [1], data: Float32Array.of(NaN) } },
    callbacks: {
      historyFile: { json: history },
      csvLogger: { json: 'epoch,loss\r\n0,0.5\r\n' },
      jsonLines: { json: '{"epoch":0}\n' },
      EarlyStopping: { json: state, tensors: { best: { shape: [1], data: Float32Array.of(0.1) } } },
      ReduceLROnPlateau: { json: { wait: '1', best: '0.5', cooldown: '0' } },
    },
  });
  const file = new Uint8Array(readFileSync(path));
  return {
    name: 'checkpoint',
    whole: [{ input: { 'last.safetensors': file }, gives: ['head', 2, 5, 40, 1, 7, 2, 1] }],
    damaged: damagedSafetensors(file).map((bytes) => ({ 'last.safetensors': bytes })),
    read: async (input) => {
      const read = await readCheckpoint(join(inFolder(folder, input), 'last.safetensors'));
      if (read === undefined) throw new Error('there is none');
      for (const callback of callbacksOf(folder)) {
        const found = Object.entries(read.callbacks).find(
          ([name]) => name.toLowerCase() === callback.name?.toLowerCase(),
        );
        if (found !== undefined) await callback.setState?.(found[1]);
      }
      const { position, training, others } = read;
      return [
        ...read.done.map(({ name }) => name),
        ...[position.epoch, position.batch, position.totals?.samples, position.totals?.chances.length],
        training.numbers['iterations'],
        Object.values(training.tensors).reduce((sum, { data }) => sum + data.length, 0),
        Object.values(others).reduce((sum, { data }) => sum + data.length, 0),
      ];
    },
    runs: 1500,
  };
}
