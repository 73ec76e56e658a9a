import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '@convbase/base/node';
import { Random } from '@convbase/data';
import { openClassifierFile, readSafetensors } from '@convbase/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, inChild } from './testing/runs.ts';
import { miniOptions, writePictures } from './testing/samples.ts';

/** Runs that are stopped or killed and go on. On the build; CONVBASE_KILLS sets how many kills, 4 when left out. */

const kills = Number(process.env['CONVBASE_KILLS'] ?? 4);
/** Each kill is a start or two of the program: on a busy machine half a minute. */
const patienceMs = Math.max(300_000, 60_000 * kills);

let root: string;
let wholeMs: number;
let expected: unknown;
let env: NodeJS.ProcessEnv;
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-kill-'));
  await writePictures(at('data', 'train'), 20, 1);
  await writePictures(at('data', 'validation'), 6, 2);
  await writePictures(at('data', 'test'), 6, 3);
  // What is computed goes into a cache of its own; the driver, where it is convbase's, stays the machine's.
  await mkdir(at('cache'));
  await symlink(join(cacheFolder(), 'drivers'), at('cache', 'drivers'));
  env = { CONVBASE_CACHE: at('cache') };
  const begun = Date.now();
  const whole = await inChild(finetune(at('whole')), { env });
  expect(whole.stderr).toContain('stage 2 of 2');
  expect(whole.code).toBe(0);
  wholeMs = Date.now() - begun;
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
    expect(await wholeFiles(folder)).not.toBe('');
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('stopped after');
    const again = await inChild(finetune(folder), { env });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('Go on with it (--resume), or give another folder.');
    const rest = await inChild([...finetune(folder), '--resume', '--json'], { env });
    expect(JSON.parse(rest.stdout)).toMatchObject({ status: 'finished', result: { test: { samples: 12 } } });
    expect(await results(folder)).toEqual(expected);
  });
});

describe('a run that is killed', () => {
  it(
    `is never left with a torn checkpoint and goes on to the same result (${kills} kills)`,
    async () => {
      const random = new Random(Number(process.env['CONVBASE_KILL_SEED'] ?? 1));
      const moments: string[] = [];
      let run = 0;
      for (let kill = 0; kill < kills;) {
        const folder = at(`killed-${run}`);
        // Every third from its very beginning on, the others once training has begun.
        const delay = random.below(Math.ceil(kill % 3 === 0 ? wholeMs : wholeMs / 3));
        const killed = await killAfter(
          [...finetune(folder), '--resume'],
          kill % 3 === 0 ? '' : 'stage ',
          delay,
        );
        if (killed) {
          kill++;
          moments.push(await wholeFiles(folder));
        } else {
          expect(await results(folder)).toEqual(expected);
          run++;
        }
      }
      const folder = at(`killed-${run}`);
      const last = await inChild([...finetune(folder), '--resume'], { env });
      expect(last.code, last.stderr).toBe(0);
      expect(await results(folder)).toEqual(expected);
      expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
      expect(await readdir(join(folder, 'checkpoints'))).toEqual(['best.safetensors', 'last.safetensors']);
      // Some have to have hit a training that was under way, or nothing was tested.
      expect(moments.filter((moment) => moment !== '').length, moments.join()).toBeGreaterThan(0);
    },
    patienceMs,
  );
});

/** Starts a command, waits for some words on stderr and then some time, and kills it; false if it ended before. */
function killAfter(args: readonly string[], words: string, milliseconds: number): Promise<boolean> {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    let stderr = '';
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      if (timer === undefined && stderr.includes(words))
        timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    };
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      look();
    });
    look();
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== null && code !== 0) reject(new Error(`ended with ${code}: ${stderr}`));
      else resolve(signal === 'SIGKILL');
    });
  });
}

/** Reads all that a crash could have torn; where training was, or nothing where it had not begun. */
async function wholeFiles(folder: string): Promise<string> {
  const record = join(folder, 'run.json');
  if (existsSync(record)) JSON.parse(await readFile(record, 'utf8'));
  for (const name of ['last', 'best']) {
    const path = join(folder, 'checkpoints', `${name}.safetensors`);
    if (!existsSync(path)) continue;
    const { tensors, metadata } = readSafetensors(await readFile(path), path);
    for (const tensor of tensors.values()) tensor.read();
    const state = JSON.parse(metadata['state'] ?? 'null') as { position?: { epoch: number; batch: number } };
    if (name === 'last') return `${state.position?.epoch}/${state.position?.batch}`;
  }
  return '';
}

/** What must not depend on kills: the trained weights and the history. */
async function results(folder: string): Promise<unknown> {
  const { model } = await openClassifierFile(join(folder, 'classifier.keras'));
  const weights = await Promise.all(model.weights.map(async (one) => [one.path, await one.read()]));
  const [history, table] = await Promise.all(
    ['history.json', 'history.csv'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  return { weights, history, table };
}
