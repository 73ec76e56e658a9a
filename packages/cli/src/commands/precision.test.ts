import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { miniOptions, writePictures } from '../testing/samples.ts';

describe('--precision mixed', { timeout: 120_000 }, () => {
  let root: string;
  const at = (path: string): string => join(root, path);
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'convbase-precision-'));
    await writePictures(at('pictures'), 6);
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  async function done(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await inProcess(...args, '--json');
    expect(code, stderr).toBe(0);
    return stdout;
  }

  it('goes from pictures to a classifier that either precision can use', async () => {
    const mixed = ['--precision', 'mixed'];
    const layer = ['--layer', 'block2_pool'];
    await done('extract', at('pictures'), ...miniOptions, ...layer, ...mixed, '--out', at('features'));
    expect(JSON.parse(await readFile(at('features/manifest.json'), 'utf8'))).toMatchObject({
      precision: 'mixed',
    });
    const other = await inProcess(
      'extract',
      at('pictures'),
      ...miniOptions,
      ...layer,
      '--out',
      at('features'),
    );
    expect(other.stderr).toMatch(/precision: "mixed" and "float32"/);

    await done(
      'train',
      at('features'),
      ...mixed,
      '--epochs',
      '60',
      '--dropout',
      '0',
      '--out',
      at('classifier'),
    );
    for (const options of [[], mixed]) {
      for (const data of ['features', 'pictures']) {
        const judged = JSON.parse(await done('evaluate', at('classifier'), at(data), ...options)) as object;
        expect(judged).toMatchObject({ accuracy: 1 });
      }
      const predicted = await inProcess('predict', at('classifier'), at('pictures/bars/000.bmp'), ...options);
      expect(predicted.stdout).toContain('000.bmp: bars ');
    }
  });
});
