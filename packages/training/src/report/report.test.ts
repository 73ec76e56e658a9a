import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AdapterDescription } from '@convbase/core-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, withFile } from '../../../models/src/testing/browser/chromium.ts';
import { evaluationOf, writeReport, type ReportData } from './index.ts';
import { html } from './html.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'convbase-report-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const adapter: AdapterDescription = {
  name: 'llvmpipe (LLVM 19.1.7, 256 bits)',
  vendor: 'mesa',
  architecture: '',
  device: '',
  driver: 'llvmpipe (LLVM 19.1.7, 256 bits)',
  kind: 'software',
};

/** A name that would do something if it were not escaped. */
const hostile = `<img src=x onerror="document.title='caught'"><script>document.title='caught'</script>`;
const picture = fileURLToPath(new URL('../../../data/fixtures/decode/', import.meta.url));

const data: ReportData = {
  title: `Run of ${hostile}`,
  configuration: {
    model: 'vgg16',
    size: [150, 150],
    head: { units: 256, dropout: null },
    [hostile]: hostile,
  },
  adapter,
  summary: `Model: "${hostile}"\n┏━━┓\n┗━━┛\n`,
  history: {
    epoch: [0, 1, 2, 3],
    history: {
      loss: [0.7, 0.5, 0.4, null],
      val_loss: [0.6, 0.5, 0.5, 0.4],
      accuracy: [0.5, 0.7, 0.8, 0.9],
      val_accuracy: [0.5, 0.6, 0.75, 0.8],
    },
  },
  stages: [
    { name: 'head', firstEpoch: 0, epochs: 2, seconds: 62, details: { optimizer: 'adam' } },
    { name: hostile, firstEpoch: 2, epochs: 2 },
  ],
  evaluation: {
    on: 'test',
    result: evaluationOf([0, 1, 1, 0], [0.9, 0.8, 0.2, 0.1], ['cats', hostile]),
  },
  seconds: 3700,
  date: new Date('2031-05-06T07:08:09Z'),
};

const written = async (changes: Partial<ReportData> = {}): Promise<string> =>
  readFileSync(await writeReport(folder, { ...data, ...changes }), 'utf8');

describe('html', () => {
  it('escapes what is put in, but not HTML', () => {
    expect(
      html`<b title="${`"'`}">${'<&>'}${html`<i></i>`}${['a', html`<u></u>`]}${undefined}${3}</b>`.text,
    ).toBe('<b title="&quot;&#39;">&lt;&amp;&gt;<i></i>a<u></u>3</b>');
  });
  it('shows characters that would hide what a name says', () => {
    expect(html`${'a\u0000b\u202ec'}`.text).toBe('a\\x00b\\u202ec');
  });
});

describe('writeReport', () => {
  it('tells the result in one line', async () => {
    expect(await written()).toContain(
      '50.0 % of 4 pictures (test) right, 2 wrong, after 4 epochs in 1 h 1 min.',
    );
    const { evaluation: _, ...rest } = data;
    const path = await writeReport(folder, { ...rest, status: 'stopped' });
    expect(readFileSync(path, 'utf8')).toContain(
      'Val_accuracy 0.8000, accuracy 0.9000, stopped after 4 epochs',
    );
  });
  it('calls a software adapter one', async () => {
    expect(await written()).toContain('a software adapter: everything was computed on the CPU');
    const real = { ...adapter, kind: 'gpu', name: 'h200', driver: 'NVIDIA 570' } as const;
    expect(await written({ adapter: real })).not.toContain('software');
  });
  it('does without epochs, and names as many mistakes as are wanted', async () => {
    const text = await written({ history: { epoch: [], history: {} }, wrongPictures: 1 });
    expect(text).toContain('No epoch was completed.');
    expect(text.match(/<figcaption>/g)).toHaveLength(1);
  });
  it('lists mistakes where there are too many classes for a matrix', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `class ${i}`);
    const labels = names.map((_, i) => i);
    const probabilities = labels.flatMap((label) => labels.map((other) => +(other === Math.max(1, label))));
    const text = await written({
      evaluation: { on: 'test', result: evaluationOf(labels, probabilities, names) },
    });
    expect(text).toContain('The most frequent mistakes among 40 pictures (test).');
    expect(text).not.toContain('class="confusion"');
  });
});

const chromium = findChromium();

describe.skipIf(chromium === undefined)('the report in Chromium', () => {
  it.each(['light', 'dark'] as const)(
    'shows everything in %s, and asks nobody for anything',
    async (scheme) => {
      const files = ['exif_6.jpg', 'none', 'rgb.bmp'];
      const path = await writeReport(folder, {
        ...data,
        pictureOf: (index) => join(picture, files[index]!),
      });
      await withFile(chromium!, pathToFileURL(path), scheme, async (page, requests) => {
        expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(path).href]);
        const seen = await page.evaluate(() => {
          const box = (selector: string): number[] =>
            [...document.querySelectorAll(selector)].map((element) => element.getBoundingClientRect().height);
          return {
            title: document.title,
            headings: [...document.querySelectorAll('h2')].map((heading) => heading.textContent.trim()),
            charts: box('svg'),
            pictures: [...document.querySelectorAll('img')].map(
              (image) => image.complete && image.naturalWidth,
            ),
            cells: [...document.querySelectorAll('.confusion tbody td')].map((cell) =>
              cell.textContent.trim(),
            ),
            scripts: document.querySelectorAll('script').length,
            wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
            background: getComputedStyle(document.body).backgroundColor,
            chart: getComputedStyle(document.querySelector('svg rect')!).fill,
          };
        });
        expect(seen.title).toBe(data.title);
        expect(seen.headings).toEqual([
          'Learning curves',
          'Stages',
          'Classes',
          'Most wrong pictures',
          'Configuration',
          'Adapter',
          'Model',
        ]);
        expect(seen.charts).toHaveLength(2);
        for (const height of seen.charts) expect(height).toBeGreaterThan(150);
        expect(seen.pictures).toHaveLength(2);
        for (const width of seen.pictures) expect(width).toBeGreaterThan(0);
        expect(seen.cells).toEqual(['1', '1', '1', '1']);
        expect(seen.scripts).toBe(0);
        expect(seen.wide).toBe(false);
        expect(seen.background).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(15, 20, 25)');
        expect(seen.chart).toBe(seen.background);
      });
    },
  );
});
