import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
});
