import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FailingRead } from '../../../base/src/testing/failing-reads.ts';
import { FeatureWriter } from './feature-writer.ts';
import type { FeatureRecipe } from './manifest.ts';

const failing = vi.hoisted(() => ({ now: undefined as FailingRead | undefined }));
vi.mock('node:fs/promises', async (original) => {
  const { withFailingReads } = await import('../../../base/src/testing/failing-reads.ts');
  return withFailingReads(await original(), () => failing.now);
});

const recipe: FeatureRecipe = {
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { size: [48, 48], preprocess: 'caffe', resize: 'nearest' },
  source: { path: 'pictures', listing: 'abc', samples: 1 },
  classNames: ['cats', 'dogs'],
  featureShape: [2],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-reads-'));
});
afterEach(async () => {
  failing.now = undefined;
  await rm(folder, { recursive: true });
});

const contents = async (): Promise<string[]> => {
  const names = await readdir(folder);
  return Promise.all(names.map(async (name) => name + (await readFile(join(folder, name), 'hex'))));
};

test.each([
  ['EMFILE', 'file/too-many-open'],
  ['EIO', 'file/io'],
])('features are not begun anew where the system says %s of what is there', async (code, told) => {
  for (const isComplete of [false, true]) {
    const writer = await FeatureWriter.open(folder, recipe);
    if (writer.rowCount === 0) await writer.append(Float32Array.of(1, 2), Int32Array.of(0), Int32Array.of(0));
    if (isComplete) await writer.commit(String);
    else await writer.pause();
    const before = await contents();
    for (const name of [...(await readdir(folder)), 'manifest.json']) {
      failing.now = { path: join(folder, name), code };
      const opening = FeatureWriter.open(folder, recipe);
      // What is complete is not looked at any further.
      const isRead = !isComplete || name === 'manifest.json';
      await expect(opening, name).rejects.toMatchObject({ code: isRead ? told : 'features/complete' });
      failing.now = undefined;
      expect(await contents(), name).toEqual(before);
    }
  }
});
