import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClassifierFile, readSafetensors } from '@convbase/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inChild } from './testing/runs.ts';
import { miniOptions, writePictures } from './testing/samples.ts';
import { ownCache } from './testing/writers.ts';

/** Runs that Ctrl-C stops and that go on, on the build. Kills are in kills.test.ts. */

let root: string;
let expected: unknown;
let env: NodeJS.ProcessEnv;
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-kill-'));
  await writePictures(at('data', 'train'), 20, 1);
  await writePictures(at('data', 'validation'), 6, 2);
  await writePictures(at('data', 'test'), 6, 3);
  env = await ownCache(at('cache'));
  const whole = await inChild(finetune(at('whole')), { env });
  expect(whole.stderr).toContain('stage 2 of 2');
  expect(whole.code).toBe(0);
  expected = await results(at('whole'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** Two stages, the second with augmentation, with a checkpoint after every batch. */
const finetune = (out: string): string[] => [
  ...['finetune', at('data'), ...miniOptions, '--resize', 'nearest', '--batch-size', '4', '--units', '8'],
  ...['--head-epochs', '3', '--head-learning-rate', '0.01', '--epochs', '3', '--learning-rate', '0.001'],
  ...['--unfreeze-last', '3', '--augmentation', 'layers', '--checkpoint-seconds', '0', '--out', out],
];

describe('a run that Ctrl-C stops', () => {
  it('leaves a checkpoint and a report, and goes on to the same result', async () => {
    const folder = at('stopped');
    const stopped = await inChild(finetune(folder), {
      env,
      interruptWhen: (output) => output.includes('Epoch 2/'),
    });
    expect([stopped.code, stopped.signal]).toEqual([130, null]);
    expect(stopped.stderr).toContain(`--resume with the same command goes on with ${folder}`);
    expect(stopped.stdout).toBe('');
    const checkpoint = join(folder, 'checkpoints', 'last.safetensors');
    const { metadata } = readSafetensors(await readFile(checkpoint), checkpoint);
    const { position } = JSON.parse(metadata['state'] ?? 'null') as { position: { epoch: number } };
    expect(position.epoch).toBeGreaterThan(0);
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('stopped after');
    const again = await inChild(finetune(folder), { env });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('Go on with it (--resume), or give another folder.');
    const rest = await inChild([...finetune(folder), '--resume', '--json'], { env });
    expect(JSON.parse(rest.stdout)).toMatchObject({ status: 'finished', result: { test: { samples: 12 } } });
    expect(await results(folder)).toEqual(expected);
  });
});

/** What must not depend on stops: the trained weights and the history. */
async function results(folder: string): Promise<unknown> {
  const { model } = await openClassifierFile(join(folder, 'classifier.keras'));
  const weights = await Promise.all(model.weights.map(async (one) => [one.path, await one.read()]));
  const [history, table] = await Promise.all(
    ['history.json', 'history.csv'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  return { weights, history, table };
}
