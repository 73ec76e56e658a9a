import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stoppedAt } from '../../../base/src/testing/stops.ts';
import { watchFileOperations } from '@convbase/base/node';
import type { Recipe } from '../recipe/index.ts';
import { miniRecipe, twoStages, writeData } from '../testing/samples.ts';
import { runRecipe } from './index.ts';

/** Runs that end at one of their operations on files, and go on. CONVBASE_KILLS=all stops at every one of them. */

const isAll = process.env['CONVBASE_KILLS'] === 'all';
const STOPS = 6;

let gpu: Gpu;
let root: string;
beforeAll(async () => {
  gpu = await openGpu();
  root = await mkdtemp(join(tmpdir(), 'convbase-stopped-'));
  await writeData(join(root, 'data'));
});
afterAll(async () => {
  watchFileOperations(undefined);
  gpu.destroy();
  await rm(root, { recursive: true });
});

const run = async (recipe: Recipe, out: string): Promise<void> => {
  await runRecipe(recipe, {
    ...{
      name: 'mini',
      data: join(root, 'data'),
      out: join(root, out),
      cacheFolder: join(root, 'cache'),
      gpu,
    },
    ...{ resume: true, checkpointSeconds: 0 },
  });
};

/** All but times: half-made files of this process, which still runs, wait for its end. */
async function contents(out: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const names = (await readdir(join(root, out), { recursive: true })).filter(
    (name) => !/\.[\w-]+-[\w-]+\.partial$/.test(name),
  );
  for (const name of names) {
    const path = join(root, out, name);
    if (/\.(keras|csv|svg|png|yaml)$|(history|best).*\.(json|safetensors)$/.test(name)) {
      found[name] = await readFile(path, 'base64');
    } else if (name.endsWith('.jsonl')) {
      found[name] = (await readFile(path, 'utf8')).replaceAll(/"time":"[^"]*"/g, '');
    } else if (!name.includes('tfevents')) found[name] = '';
  }
  return found;
}

it.each<[string, Recipe]>([
  ['stages', miniRecipe(twoStages)],
  [
    'a sweep',
    {
      ...miniRecipe(
        '\n  - { name: head, unfreeze: none, optimizer: { name: adam }, epochs: 2, restoreBest: val_loss }',
      ),
      sweep: 'blocks',
    },
  ],
])(
  '%s come to the same result wherever they were stopped',
  async (name, recipe) => {
    let operations = 0;
    // The frozen layers' outputs are in the cache from here on.
    await run(recipe, `${name}-first`);
    watchFileOperations(() => operations++);
    await run(recipe, `${name}-whole`);
    watchFileOperations(undefined);
    const whole = await contents(`${name}-whole`);
    expect(Object.keys(whole)).toContain('classifier.keras');
    const step = isAll ? 1 : Math.ceil(operations / STOPS);
    for (let at = 0; at < operations; at += step) {
      const out = `${name}-${at}`;
      const next = await stoppedAt(at, () => run(recipe, out));
      if (next === undefined) continue;
      await run(recipe, out);
      expect(await contents(out), `stopped before ${next.kind} ${next.path}`).toEqual(whole);
      await rm(join(root, out), { recursive: true });
    }
  },
  isAll ? 3_600_000 : 120_000,
);
