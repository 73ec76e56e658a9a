import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '@convbase/base/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { miniOptions, writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-recipe-'));
  await writePictures(at('pictures'), 10);
  await mkdir(at('cache'));
  await symlink(join(cacheFolder(), 'drivers'), at('cache', 'drivers'));
  vi.stubEnv('CONVBASE_CACHE', at('cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

describe('convbase recipe', () => {
  it('lists what there is, in 80 columns', async () => {
    const { stdout, code } = await inProcess('recipe', 'list');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(14);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const { stdout: json } = await inProcess('recipe', 'list', '--json');
    expect(JSON.parse(json)).toHaveLength(14);
  });

  it('shows one as it is written', async () => {
    const { stdout } = await inProcess('recipe', 'show', 'catsdogs-vgg16-finetune-150');
    expect(stdout).toContain('unfreeze: { last: 4 } # layers[-4:]: block5');
    const { stdout: json } = await inProcess('recipe', 'show', 'catsdogs-vgg16-finetune-150', '--json');
    expect(JSON.parse(json)).toMatchObject({ stages: [{ name: 'head' }, { head: 'fresh' }] });
  });

  it('takes another base', async () => {
    const place = ['--data', at('nowhere'), '--out', at('none')];
    const { stderr } = await inProcess('recipe', 'run', 'layer-sweep', '--model', 'vgg19', ...place);
    expect(stderr).toContain('vgg19 frozen, a head on each block');
  });

  it("names what is wrong with a user's own, with its line", async () => {
    const { stdout } = await inProcess('recipe', 'show', 'layer-sweep');
    await writeFile(at('mine.yaml'), stdout.replace('dropout:', 'dropuot:'));
    const { code, stderr } = await inProcess(
      'recipe',
      'run',
      at('mine.yaml'),
      '--data',
      root,
      '--out',
      at('none'),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /mine\.yaml:\d+: model\.head\.dropuot: there is no such key; known here are units/,
    );
  });
});

describe('convbase finetune', () => {
  const small = [
    '--batch-size',
    '4',
    '--units',
    '4',
    '--head-epochs',
    '1',
    '--epochs',
    '1',
    '--unfreeze-last',
    '2',
  ];

  it('trains in two stages from a folder of classes; predict and recipe run take what comes out', async () => {
    const out = at('run');
    const options = [...miniOptions, ...small, '--class-weights', 'auto', '--label-smoothing', '0.1'];
    const first = await inProcess('finetune', at('pictures'), ...options, '--fraction', '0.5', '--out', out);
    expect(first.stderr).not.toContain('error');
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/\nwaited \d+\.\d s of .* for pictures.* is the bottleneck\n/);
    expect(first.stdout).toMatch(/head +1 epoch +accuracy .* on 2 validation pictures\nfinetune +1 epoch/);
    const recipe = await readFile(join(out, 'recipe.yaml'), 'utf8');
    expect(recipe).toMatch(/fraction: 0\.5/);
    const predicted = await inProcess('predict', out, at('pictures/dots/000.bmp'));
    expect(predicted.stdout).toMatch(/(bars|dots) \d/);
    const summary = JSON.parse((await inProcess('summary', out, '--json')).stdout) as {
      totalParams: number;
      layers: { name: string }[];
    };
    expect(summary.layers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['flatten', 'dense', 'dense_1']),
    );
    expect(summary.totalParams).toBeGreaterThan(1684);
    await rm(join(out, 'classifier.keras'));
    const unfinished = await inProcess('summary', out);
    expect(unfinished.code).toBe(2);
    expect(unfinished.stderr).toContain('has not come to a classifier yet');
    const again = [
      'recipe',
      'run',
      join(out, 'recipe.yaml'),
      '--data',
      at('pictures'),
      '--out',
      at('again'),
      '--json',
    ];
    const second = await inProcess(...again);
    expect(JSON.parse(second.stdout)).toMatchObject({
      samples: { train: 8, validation: 2 },
      status: 'finished',
    });
    const [a, b] = await Promise.all(
      [out, at('again')].map((run) => readFile(join(run, 'history.csv'), 'utf8')),
    );
    expect(a).toBe(b);
  });

  it('says what it has to be told', async () => {
    const refused = async (exitCode: number, ...args: string[]): Promise<string> => {
      const { code, stderr } = await inProcess('finetune', at('pictures'), ...args, '--out', at('none'));
      expect(code).toBe(exitCode);
      return stderr;
    };
    const model = miniOptions.slice(0, 2);
    expect(await refused(2, ...model)).toContain('Say it with --size 150');
    expect(await refused(2, ...model, '--size', '20')).toContain('--preprocess rescale');
    expect(await refused(2, ...miniOptions)).toContain('--unfreeze-from LAYER or --unfreeze-last N');
    expect(await refused(1, ...miniOptions, '--unfreeze-from', 'nope')).toMatch(/no layer called nope/);
  });
});
