import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findChromium, withPage } from './chromium.ts';
import type { PageFunctions } from './page.ts';

declare const globalThis: { convbase: PageFunctions };

const entry = join(import.meta.dirname, 'page.ts');
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
});
