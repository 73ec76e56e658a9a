import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failed, results, row } from '../testing/results.ts';
import { comparisonText, compareResults, isRegression } from './compare.ts';
import { markdownOf } from './markdown.ts';
import { pageOf } from './page/page.ts';
import { limitOf, rowsOf, withLimit } from './row.ts';
import { readFigures, readResults } from './schema.ts';
import { textOf } from './text.ts';
import { writeResults } from './write.ts';

const tfjs = row({ contender: 'tfjs-webgpu', label: 'tfjs webgpu', medianMs: 8000, ratioToTfjsWebgpu: 1 });
const onCpu = row({
  contender: 'tfjs-wasm',
  label: 'tfjs wasm',
  adapter: '2 threads',
  adapterKind: 'cpu',
  shareOfLimit: null,
  correct: null,
});
const broken = failed('out of <memory>\nat line 3', { contender: 'onnx', label: 'onnx' });

const ladders = [
  {
    kernel: 'conv2d',
    problem: '3x3 convolution',
    rungs: [
      { rung: 'naive', milliseconds: 12, gigaflops: 2, speedup: 1, difference: 0 },
      { rung: 'lame', milliseconds: null, gigaflops: null, speedup: null, difference: 0.5 },
    ],
  },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-results-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('rowsOf', () => {
  const timing = (milliseconds: number) => ({ milliseconds, cpuMilliseconds: 2 * milliseconds });
  const runner = { name: 'llvmpipe', kind: 'software', versions: {} } as const;
  const one = { id: 'x', title: 'x', group: 'forward', pictures: 4 } as const;

  it('takes medians and ratios, and shows no time of a wrong result', () => {
    const made = rowsOf(one, [
      {
        contender: 'convbase',
        outcome: { label: 'convbase', runner, timings: [30, 10, 20].map(timing), peakResidentBytes: 2 ** 21 },
        verdict: { correct: true, difference: 1e-6, reference: 'float64' },
      },
      {
        contender: 'tfjs-webgpu',
        outcome: { label: 'tfjs webgpu', runner, timings: [100].map(timing) },
        verdict: { correct: true },
      },
      {
        contender: 'wrong',
        outcome: { label: 'wrong', runner, timings: [1].map(timing) },
        verdict: { correct: false, difference: 0.5, reference: 'float64' },
      },
    ]);
    expect(made[0]).toMatchObject({ medianMs: 20, p95Ms: 30, minMs: 10, maxMs: 30, cpuMs: 40, runs: 3 });
    expect(made[0]).toMatchObject({ ratioToTfjsWebgpu: 5, peakResidentMiB: 2 });
    expect(made[2]).toMatchObject({ medianMs: null, minMs: null, ratioToTfjsWebgpu: null, correct: false });
    expect(made[2]?.error).toBe('wrong result: a relative difference of 5.0e-1 from float64');
    const limited = withLimit(made, 5);
    expect(limited.map(({ shareOfLimit }) => shareOfLimit)).toEqual([0.25, 0.05, null]);
  });

  it('adds up what each piece of work is limited by', () => {
    const pieces = [
      { flops: 8e9, bytes: 1e6 },
      { flops: 1e6, bytes: 4e9 },
    ];
    expect(limitOf(pieces, { gigaflops: 4, gigabytes: 2 })).toBeCloseTo(4000);
    expect(limitOf([], { gigaflops: 4, gigabytes: 2 })).toBeNull();
  });
});

describe('results in files', () => {
  it('are read as they were written', async () => {
    const written = { ...results([row(), tfjs, broken]), ladders };
    const files = await writeResults(folder, written);
    expect(await readResults(files.json)).toEqual(written);
    expect(readFileSync(files.page, 'utf8')).toContain('<svg');
    expect(readFileSync(files.markdown, 'utf8')).toBe(markdownOf(written));
  });

  it.each([
    ['{', /is not JSON/],
    ['{"format":"other"}', /these are not results of `convbase bench`: format/],
  ])('%j is refused', async (text, message) => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    await expect(readResults(path)).rejects.toThrow(message);
    const fix = expect.stringContaining('that `convbase bench`') as string;
    await expect(readResults(path)).rejects.toMatchObject({ code: 'bench/results', where: path, fix });
  });

  it('that do not exist are named, with what they should be', async () => {
    const path = join(folder, 'none.json');
    await expect(readResults(path)).rejects.toMatchObject({
      code: 'file/missing',
      message: `${path}: results of \`convbase bench\` cannot be read: no such file or folder\n  Check the path.`,
    });
  });

  it('of others are figures', async () => {
    const path = join(folder, 'figures.json');
    const figure = { case: 'a', contender: 'Keras', medianMs: 264, adapter: '2 cores' };
    writeFileSync(path, JSON.stringify({ figures: [figure] }));
    expect(await readFigures(path)).toEqual([figure]);
    writeFileSync(path, JSON.stringify({ figures: [{ ...figure, medianMs: -1 }] }));
    await expect(readFigures(path)).rejects.toMatchObject({ code: 'bench/results' });
    await expect(readFigures(join(folder, 'none.json'))).rejects.toThrow(/cannot be read/);
  });
});

describe('every view', () => {
  const shown = results([row(), tfjs, onCpu, broken]);
  const figure = { case: row().case, contender: 'Keras', medianMs: 264, adapter: '2 cores', note: 'oneDNN' };

  it.each([
    ['text', textOf(shown.rows).join('\n')],
    ['markdown', markdownOf(shown)],
    ['page', pageOf(shown)],
  ])('%s calls a software adapter one and shows errors', (_, text) => {
    expect(text).toContain('software adapter');
    expect(text).toContain('failed: out of ');
  });

  it('fits a terminal', () => {
    const long = failed('x'.repeat(200), { label: 'a contender of many words', title: 't'.repeat(200) });
    for (const line of [...textOf(shown.rows), ...textOf([long, row()])])
      expect(line.length).toBeLessThan(80);
  });

  it.each([
    ['markdown', markdownOf({ ...shown, ladders })],
    ['page', pageOf({ ...shown, ladders })],
  ])('%s shows ladders, and no time of a wrong rung', (_, text) => {
    expect(text).toContain('3x3 convolution');
    expect(text).toMatch(/naive[^]*12\.0 ms/);
    expect(text).toMatch(/lame(?:(?! ms)[^])*wrong result/);
  });

  it('is one table in Markdown', () => {
    const lines = markdownOf({ ...shown, figures: [figure] }).split('\n');
    const cells = lines.filter((line) => line.startsWith('|')).map((line) => line.split(/(?<!\\)\|/).length);
    expect(cells).toHaveLength(2 + 1 + 4 + 1);
    expect(new Set(cells).size).toBe(1);
  });

  it('is a page that needs nothing and believes nothing', () => {
    const page = pageOf({ ...shown, figures: [figure] });
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)|out of <memory>/);
    expect(page).toContain('out of &lt;memory&gt;');
    expect(page).toContain('measured elsewhere: 2 cores; oneDNN');
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it('names from a file of results command nothing', () => {
  const bad = 'x\u001b[2J\u009b\u202e\nerror: <u>';
  const shown = String.raw`x\x1b[2J\x9b\u202e`;
  const odd = { case: bad, title: bad, group: bad, label: bad, adapter: bad };
  const hostile = results([
    row(odd),
    failed(bad, { ...odd, contender: bad }),
    { ...tfjs, ...odd, label: 't' },
  ]);
  const raw = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]|^error: /m;
  for (const text of [
    pageOf(hostile),
    markdownOf(hostile),
    ...comparisonText(compareResults(hostile, hostile, 0.3)),
  ]) {
    expect(text).not.toMatch(raw);
    expect(text).toContain(shown);
  }
  for (const line of textOf(hostile.rows)) expect(line).not.toMatch(raw);
  expect(pageOf(hostile)).not.toContain('<u>');
});

describe('compareResults', () => {
  const withRatio = (ratio: number | null) => results([row({ ratioToTfjsWebgpu: ratio }), tfjs]);

  it.each([
    [8, 8, 'same', false],
    [8, 5.7, 'same', false],
    [8, 5.5, 'slower', true],
    [8, 12, 'faster', false],
    [null, 8, 'same', false],
    [null, null, 'same', false],
    [8, null, 'gone', true],
  ] as const)('%s and then %s is %s', (before, after, verdict, regression) => {
    const [found, ...more] = compareResults(withRatio(before), withRatio(after), 0.3);
    expect(more).toEqual([]);
    expect(found?.verdict).toBe(verdict);
    expect(found !== undefined && isRegression(found)).toBe(regression);
  });

  it('notices what is there no longer, or fails', () => {
    const found = (after: typeof shown) => compareResults(shown, after, 0.3).map(({ verdict }) => verdict);
    const shown = results([row()]);
    expect(found(results([]))).toEqual(['gone']);
    expect(found(results([failed('boom')]))).toEqual(['broken']);
    expect(compareResults(results([]), shown, 0.3)[0]?.verdict).toBe('new');
    expect(comparisonText(compareResults(shown, shown, 0.3))).toEqual([
      'forward/vgg16/150/4   8.00x   8.00x    +0 %  same',
    ]);
  });
});
