import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '@convbase/base/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { miniModel } from '../testing/samples.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-cli-'));
  // A cache of its own, so that nothing measured here is used elsewhere; the driver is the one that is there.
  await symlink(join(cacheFolder(), 'drivers'), join(root, 'drivers'));
  vi.stubEnv('CONVBASE_CACHE', root);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

const step = ['--train', '--head', '8', '--unfreeze-last', '2', '--batch-size', '2'];

interface Profiled {
  batchSize: number;
  layers: { layer: string; milliseconds: number; backwardMilliseconds: number; share: number }[];
  kernels: { kernel: string; share: number }[];
}

describe('convbase profile', () => {
  it('prints layers and kernels, and writes a trace', async () => {
    const trace = join(root, 'trace.json');
    const flags = ['profile', miniModel, '--runs', '1', '--trace', trace];
    const { code, stdout, stderr } = await inProcess(...flags);
    expect(code).toBe(0);
    expect(stderr).toContain(`kernels: ${trace}`);
    expect(stdout).toMatch(/^block1_conv1 /m);
    expect(stdout).toMatch(/^kernel, variant/m);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const { traceEvents } = JSON.parse(await readFile(trace, 'utf8')) as { traceEvents: { name: string }[] };
    expect(traceEvents.map(({ name }) => name)).toContain('block2_conv1');
  });

  it('profiles a training step, as JSON', async () => {
    const { code, stdout } = await inProcess('profile', miniModel, ...step, '--runs', '1', '--json');
    expect(code).toBe(0);
    const { batchSize, layers, kernels } = JSON.parse(stdout) as Profiled;
    expect(batchSize).toBe(2);
    const backward = layers.filter(({ backwardMilliseconds }) => backwardMilliseconds > 0);
    expect(backward.map(({ layer }) => layer)).toContain('predictions');
    expect(backward.map(({ layer }) => layer)).not.toContain('block1_conv1');
    expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  it('refuses what makes no sense', async () => {
    const refused = async (message: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await inProcess('profile', ...args);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(message);
    };
    await refused(/--unfreeze-last would do nothing[^]*--train/, miniModel, '--unfreeze-last', '2');
    await refused(/one has to be chosen[^]*--size 150/, 'vgg16');
    await refused(/neither|unknown|no model/i, 'no_such_model');
  });
});

interface Tuned {
  file: string;
  problems: { key: string; candidates: { refused?: string; error: number | null }[] }[];
}

describe('convbase tune', () => {
  it('measures, keeps what it found, and does not measure it again', async () => {
    const flags = ['tune', miniModel, '--size', '20', '--rounds', '1'];
    const { code, stdout } = await inProcess(...flags, '--json');
    expect(code).toBe(0);
    const { file, problems } = JSON.parse(stdout) as Tuned;
    expect(problems.length).toBeGreaterThan(1);
    for (const { candidates } of problems) {
      expect(candidates.length).toBeGreaterThan(3);
      for (const { refused } of candidates) expect(refused ?? '').not.toMatch(/wrong/);
    }
    expect(await readdir(join(root, 'tuned'))).toEqual([file.slice(join(root, 'tuned').length + 1)]);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const keys = lines.map((line) => (JSON.parse(line) as { key: string }).key);
    expect(keys).toEqual(problems.map(({ key }) => key));

    const again = await inProcess(...flags);
    expect(again.stdout).toMatch(/Everything that this model does has been measured/);
    // And whatever was found, the model computes with it.
    expect((await inProcess('profile', miniModel, '--runs', '1')).code).toBe(0);
  });

  it('strikes out what is damaged of a table, says so and goes on', async () => {
    const [name = ''] = await readdir(join(root, 'tuned'));
    const file = join(root, 'tuned', name);
    const whole = await readFile(file, 'utf8');
    const entries = whole.trim().split('\n').length;
    await writeFile(file, `${whole}{"kernels":`);
    const { code, stdout, stderr } = await inProcess('tune', miniModel, '--size', '20', '--rounds', '1');
    expect(code).toBe(0);
    expect(stderr).toContain(`damaged: line ${entries + 1} is no JSON`);
    expect(stderr).toContain(`1 damaged line struck out, ${entries} kept in use`);
    expect(stdout).toMatch(/Everything that this model does has been measured/);
    expect((await readFile(file, 'utf8')).trim()).toBe(whole.trim());
  });
});
