import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openGpu } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../graph/index.ts';
import { classifierBytes, type ClassifierInfo } from '../../save/index.ts';
import { findChromium, withPage } from './chromium.ts';
import type { PageFunctions } from './page.ts';

declare const globalThis: { convbase: PageFunctions };

const entry = join(import.meta.dirname, 'page.ts');
const fixtures = join(import.meta.dirname, '../../../fixtures/golden');
const chromium = findChromium();

if (process.env['CONVBASE_REQUIRE_BROWSER']) {
  it('has a browser to test in', () => {
    expect(chromium).toBeDefined();
  });
}

describe.skipIf(chromium === undefined)('in headless Chromium', () => {
  it('opens the GPU that the page offers', async () => {
    const adapter = await withPage(chromium ?? '', entry, {}, (page) =>
      page.evaluate(() => globalThis.convbase.describeAdapter()),
    );
    expect(adapter.kind).toBe('software');
    expect(adapter.name).not.toBe('');
  });

  it('loads the mini VGG, trains it and gets what Keras gets', async () => {
    const names = ['mini_vgg.keras', 'mini_vgg.safetensors'];
    const files = await Promise.all(
      names.map(async (name) => [name, await readFile(join(fixtures, name))] as const),
    );
    const results = await withPage(chromium ?? '', entry, Object.fromEntries(files), (page) =>
      page.evaluate(() => globalThis.convbase.verifySmallModel('mini_vgg')),
    );
    expect(results.map(({ name }) => name)).toContain('mini_vgg/forward');
    expect(results.length).toBeGreaterThanOrEqual(4);
    for (const result of results)
      expect(result, result.error ?? JSON.stringify(result)).toMatchObject({ pass: true });
  }, 180_000);

  it('opens a trained classifier, names the class of a picture, and saves it', async () => {
    const info: ClassifierInfo = {
      classNames: ['cat', 'dog'],
      input: { size: [20, 20], preprocess: 'rescale', resize: 'nearest' },
      training: {},
    };
    const model = await loadModel(join(fixtures, 'mini_vgg.keras'));
    const picture = Array.from({ length: 20 * 20 * 3 }, (_, i) => (i * 7919) % 256);
    const gpu = await openGpu();
    const shape = [1, 20, 20, 3];
    const { data } = await model
      .to(gpu)
      .predict({ data: Uint8Array.from(picture), shape, preprocess: 'rescale' });
    const file = await classifierBytes(model, info);
    gpu.destroy();

    const { classNames, ranked, savedSaysTheSame } = await withPage(
      chromium ?? '',
      entry,
      { 'pets.keras': file },
      (page) => page.evaluate((bytes) => globalThis.convbase.classify('pets.keras', bytes), picture),
    );
    expect(classNames).toEqual(info.classNames);
    const dog = ranked.find(({ className }) => className === 'dog');
    expect(dog?.probability).toBeCloseTo(data[0] ?? NaN, 5);
    expect(savedSaysTheSame).toBe(true);
  }, 180_000);
});
