import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { headFile, miniModel, miniOptions, writeDigits, writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

/** Runs a command that must succeed, and returns what `--json` prints. */
async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await inProcess(...args, '--json');
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

interface Extracted {
  rows: number;
  skipped: string[];
  featureShape: number[];
  layer: string;
  input?: Waited;
}
interface Waited {
  seconds: number;
  waited: number;
  between: number;
  bottleneck: string;
}
interface Trained {
  classNames: string[];
  loss: number;
  history: Record<string, number[]>;
  extraction?: Waited;
  input?: Waited;
}
interface Judged {
  loss: number;
  accuracy: number;
  samples: number;
  input?: Waited;
}
type Predicted = { image: string; predictions?: { className: string; probability: number }[] }[];

/** Times that belong together. */
function expectWaited({
  seconds = NaN,
  waited = NaN,
  between = NaN,
  bottleneck,
}: Partial<Waited> = {}): void {
  expect(['adapter', 'input', 'program']).toContain(bottleneck);
  expect(waited + between).toBeLessThanOrEqual(seconds + 1e-9);
  expect(Math.min(seconds, waited, between)).toBeGreaterThanOrEqual(0);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-cli-'));
  await writePictures(at('train'), 24);
  await writePictures(at('test'), 6, 9);
  await writeDigits(at('digits'), 120, 40);
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const learning = ['--epochs', '60', '--learning-rate', '0.01', '--units', '16', '--dropout', '0.1'];

describe('from pictures to a classifier', () => {
  it('extract, train, evaluate, predict and summary', async () => {
    const extracted = await json<Extracted>('extract', at('train'), ...miniOptions, '--out', at('features'));
    expect(extracted).toMatchObject({
      rows: 48,
      skipped: [],
      featureShape: [5, 5, 12],
      layer: 'block2_pool',
    });
    expectWaited(extracted.input);
    const trained = await json<Trained>('train', at('features'), ...learning, '--out', at('classifier'));
    expect(trained.classNames).toEqual(['bars', 'dots']);
    expect(trained.history['loss']).toHaveLength(60);
    expectWaited(trained.input);
    expect(trained.extraction).toBeUndefined();
    await headFile(at('classifier'));

    const judged = await json<Judged>('evaluate', at('classifier'), at('test'));
    expect(judged).toMatchObject({ samples: 12, accuracy: 1 });
    expectWaited(judged.input);
    await json<Extracted>('extract', at('test'), ...miniOptions, '--out', at('features-test'));
    const again = await json<Judged>('evaluate', at('classifier'), at('features-test'));
    // The same numbers in other batches: sums of 12 losses in another order.
    expect(again.loss).toBeCloseTo(judged.loss, 5);
    expect(again.accuracy).toBe(1);

    const images = [at('test/bars/000.bmp'), at('test/dots/001.bmp')];
    const predicted = await json<Predicted>('predict', at('classifier'), ...images);
    expect(predicted.map(({ image }) => image)).toEqual(images);
    expect(predicted.map(({ predictions }) => predictions?.[0]?.className)).toEqual(['bars', 'dots']);
    for (const { predictions = [] } of predicted)
      expect(predictions.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);

    const summary = await json<{ totalParams: number; trainableWeights: number }>(
      'summary',
      at('classifier'),
    );
    expect(summary).toMatchObject({ totalParams: 1684 + 300 * 16 + 16 + 17, trainableWeights: 4 });
  });

  it('straight from pictures gives the very same classifier, and leaves no features behind', async () => {
    const flags = [...learning, '--validation', at('test'), '--seed', '5'];
    const direct = await json<Trained>('train', at('train'), ...miniOptions, ...flags, '--out', at('direct'));
    expect(direct.history['val_accuracy']?.at(-1)).toBe(1);
    expectWaited(direct.extraction);
    expectWaited(direct.input);
    await headFile(at('direct'));
    await json('train', at('features'), ...flags.slice(0, -4), '--seed', '5', '--out', at('indirect'));
    const [first, second] = await Promise.all(
      ['direct', 'indirect'].map(async (name) => readFile(await headFile(at(name)))),
    );
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
  });

  it('the same seed gives the same classifier, another seed another', async () => {
    const heads: Buffer[] = [];
    for (const seed of ['7', '7', '8']) {
      // Over the classifier that is there already.
      await json('train', at('features'), '--epochs', '2', '--seed', seed, '--out', at('seeded'));
      heads.push(await readFile(await headFile(at('seeded'))));
    }
    expect(heads[0]?.equals(heads[1] ?? Buffer.alloc(0))).toBe(true);
    expect(heads[0]?.equals(heads[2] ?? Buffer.alloc(0))).toBe(false);
  });

  it('extracting what is there already does nothing, and another recipe is refused', async () => {
    const before = await readFile(at('features/manifest.json'), 'utf8');
    const again = await json<Extracted>('extract', at('train'), ...miniOptions, '--out', at('features'));
    expect(again.rows).toBe(48);
    const layer = ['--layer', 'block1_pool'];
    const other = await inProcess('extract', at('train'), ...miniOptions, ...layer, '--out', at('features'));
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('layer: "block2_pool" and "block1_pool"');
    expect(await readFile(at('features/manifest.json'), 'utf8')).toBe(before);
  });

  it('limits class folders evenly', async () => {
    const flags = [...miniOptions, '--limit', '10', '--out', at('limited')];
    expect(await json<Extracted>('extract', at('train'), ...flags)).toMatchObject({ rows: 10 });
    const judged = await json<Judged>('evaluate', at('classifier'), at('limited'));
    expect(judged).toMatchObject({ samples: 10, accuracy: 1 });
  });

  it('finds a base that was moved', async () => {
    await rm(at('moved'), { recursive: true, force: true });
    const { copyFile, mkdir } = await import('node:fs/promises');
    await mkdir(at('moved'));
    await copyFile(miniModel, at('moved/one.keras'));
    const options = ['--model', at('moved/one.keras'), '--preprocess', 'rescale', '--size', '20'];
    await json('extract', at('train'), ...options, '--out', at('moved/features'));
    await json('train', at('moved/features'), ...learning, '--out', at('moved/classifier'));
    await rm(at('moved/one.keras'));
    const image = at('test/bars/000.bmp');
    const lost = await inProcess('predict', at('moved/classifier'), image);
    expect(lost.code).toBe(1);
    const found = await json<Predicted>('predict', at('moved/classifier'), image, '--weights', miniModel);
    expect(found[0]?.predictions?.[0]?.className).toBe('bars');
  });
});

describe('MNIST folders', () => {
  it('train on one part and judge by the other', async () => {
    const options = [...miniOptions, '--resize', 'pad', '--size', '32'];
    const wanted = [...options, ...learning, '--validation', at('digits'), '--out', at('digit-classifier')];
    const trained = await json<Trained>('train', at('digits'), ...wanted);
    expect(trained.classNames).toHaveLength(10);
    const judged = await json<Judged>('evaluate', at('digit-classifier'), at('digits'));
    expect(judged.samples).toBe(40);
    expect(judged.accuracy).toBeCloseTo(trained.history['val_accuracy']?.at(-1) ?? NaN, 6);
    expect(judged.accuracy).toBeGreaterThan(0.5);
    const first = await json<Judged>('evaluate', at('digit-classifier'), at('digits'), '--limit', '7');
    expect(first.samples).toBe(7);
    const seen = ['--split', 'train', '--limit', '50'];
    expect(await json('evaluate', at('digit-classifier'), at('digits'), ...seen)).toMatchObject({
      samples: 50,
    });
  });
});

describe('what is printed', () => {
  it('is for people without --json', async () => {
    const judged = await inProcess('evaluate', at('classifier'), at('test'));
    expect(judged.stdout).toMatch(
      /^loss \d\.\d{4} {2}accuracy 1\.0000 {2}\(12 pictures\)\nwaited \d\.\d s of \d+(\.\d)? s for pictures.*: .* is the bottleneck\n/,
    );
    expect(judged.stderr).toMatch(/^adapter: .+/);
    const predicted = await inProcess('predict', at('classifier'), at('test/bars/000.bmp'), '--top', '1');
    expect(predicted.stdout).toMatch(/000\.bmp: bars \d+\.\d %\n$/);
  });

  it('verify gives one object a line', async () => {
    const { code, stdout } = await inProcess('verify', '--json', '--save', at('computed'));
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) {
      const result = JSON.parse(line) as {
        name: string;
        pass: boolean;
        relativeError: Record<string, number>;
      };
      expect(result.pass).toBe(true);
      expect(Object.keys(result.relativeError).length).toBeGreaterThan(0);
    }
    expect((await readdir(at('computed'))).length).toBeGreaterThan(3);
  });

  it('doctor tells adapter, limits and self-check', async () => {
    const checkup = await json<Record<string, unknown>>('doctor');
    expect(checkup).toMatchObject({ selfCheck: { failed: [] }, system: { platform: process.platform } });
    expect(Object.keys(checkup)).toEqual(
      expect.arrayContaining(['driver', 'adapter', 'limits', 'features', 'subgroupSize']),
    );
  });

  it('weights list and path', async () => {
    const list = await json<{ model: string; path: string | null }[]>('weights', 'list');
    expect(list).toHaveLength(8);
    const { code, stdout } = await inProcess('weights', 'path', 'vgg16', '--json');
    const { path } = JSON.parse(stdout) as { path: string | null };
    expect(code).toBe(path === null ? 1 : 0);
  });
});
