import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stoppedAt, stoppedEverywhere } from '../../../base/src/testing/stops.ts';
import { FeatureWriter } from './feature-writer.ts';
import { Features } from './features.ts';
import { type FeatureRecipe } from './manifest.ts';

/** Extractions that end at any of their operations on files, and go on. */

const recipe: FeatureRecipe = {
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { size: [48, 48], preprocess: 'caffe', resize: 'nearest' },
  source: { path: 'pictures', listing: 'abc', samples: 9 },
  classNames: ['cats', 'dogs'],
  featureShape: [1, 2],
};
/** Of nine pictures, these can be read. */
const good = [1, 2, 4, 5, 7];

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-stopped-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

/** What `convbase extract` does, with a flush after each batch of two; `stopAfter` rows it pauses. */
async function extract(folder: string, stopAfter = Infinity): Promise<{ from: number }> {
  const writer = await FeatureWriter.open(folder, recipe);
  const from = writer.nextSample;
  try {
    const rest = good.filter((sample) => sample >= from);
    for (let i = 0; i < rest.length; i += 2) {
      if (writer.rowCount >= stopAfter) throw new Error('Ctrl-C');
      const samples = Int32Array.from(rest.slice(i, i + 2));
      const features = Float32Array.from([...samples].flatMap((sample) => [sample, sample / 8]));
      await writer.append(
        features,
        samples.map((sample) => sample % 2),
        samples,
      );
      await writer.flush();
    }
  } catch (error) {
    await writer.pause();
    throw error;
  }
  await writer.commit((sample) => `picture ${sample}`);
  return { from };
}

async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !/\.[\w-]+-[\w-]+\.partial$/.test(name));
  const files = names.map(async (name) => [name, await readFile(join(folder, name), 'hex')] as const);
  return Object.fromEntries(await Promise.all(files));
}

it('goes on to the same bytes wherever it was stopped', async () => {
  await extract(join(root, 'whole'));
  const whole = await contents(join(root, 'whole'));
  expect(Object.keys(whole)).toEqual(['features.npy', 'labels.npy', 'manifest.json', 'samples.npy']);
  const manifest = JSON.parse(await readFile(join(root, 'whole', 'manifest.json'), 'utf8')) as object;
  expect(manifest).toMatchObject({ skipped: [0, 3, 6, 8].map((sample) => `picture ${sample}`) });
  const from = new Set<number>();
  const operations = await stoppedEverywhere(
    (at) => extract(join(root, String(at))),
    async (at) => {
      const folder = join(root, String(at));
      // A reader finds all of it or is told that it is not.
      const read = await Features.open(folder).catch((error: unknown) => error);
      if (read instanceof Features) await read.close();
      else
        expect(read).toMatchObject({
          code: expect.stringMatching(/features.incomplete|file.missing/) as string,
        });
      try {
        from.add((await extract(folder)).from);
      } catch (error) {
        expect(error).toMatchObject({ code: 'features/complete' });
      }
      expect(await contents(folder)).toEqual(whole);
    },
  );
  expect(operations).toBeGreaterThan(50);
  // After a batch is after that batch; of those that were stopped at the end, none began anew.
  expect([...from].sort()).toEqual([0, 3, 6, 8]);
});

it('goes on from a stop, and from a kill while it stops', async () => {
  await extract(join(root, 'whole'));
  const whole = await contents(join(root, 'whole'));
  await stoppedEverywhere(
    (at) => extract(join(root, String(at)), 2).catch(() => undefined),
    async (at) => {
      const folder = join(root, String(at));
      await extract(folder);
      expect(await contents(folder)).toEqual(whole);
    },
  );
});

it('loses nothing between the renames at the end', async () => {
  const folder = join(root, 'a');
  await extract(folder);
  const whole = await contents(folder);
  const manifest = join(folder, 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace('"complete": true', '"complete": false'));
  for (const name of ['labels.npy', 'samples.npy']) {
    await rename(join(folder, name), join(folder, `${name}.partial`));
  }
  expect(await extract(folder)).toEqual({ from: 8 });
  expect(await contents(folder)).toEqual(whole);
});

it('is the only one in its folder', async () => {
  const folder = join(root, 'a');
  const first = await FeatureWriter.open(folder, recipe);
  const before = await contents(folder);
  await expect(FeatureWriter.open(folder, recipe)).rejects.toMatchObject({
    code: 'file/locked',
    message: expect.stringContaining(`process ${process.pid} on ${hostname()}`) as string,
  });
  expect(await contents(folder)).toEqual(before);
  await first.pause();
  await extract(folder);
  expect(await readdir(folder)).toEqual(['features.npy', 'labels.npy', 'manifest.json', 'samples.npy']);
});

it('is free again after a full disk', async () => {
  const folder = join(root, 'a');
  let at = 0;
  while ((await stoppedAt(at, () => extract(folder))) !== undefined) at += 7;
  await expect(FeatureWriter.open(folder, recipe)).rejects.toMatchObject({ code: 'features/complete' });
});
