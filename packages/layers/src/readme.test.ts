import { openGpu } from '@convbase/core-gpu';
import { readFile } from 'node:fs/promises';
import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import * as layers from './index.ts';
import { withGpu } from './testing/gpu.ts';
import { randoms } from './testing/numbers.ts';

type Values = Readonly<Record<string, unknown>>;

/** A hundred grey pictures of ten classes. */
const x = { data: randoms(100 * 28 * 28), shape: [100, 28, 28, 1] };
const y = { data: Uint8Array.from({ length: 100 }, (_, i) => i % 10), shape: [100] };

describe("the README's examples run", async () => {
  const gpu = withGpu();
  const text = await readFile(new URL('../README.md', import.meta.url), 'utf8');

  /** Runs a section's first example, with what it takes for given, and returns these of its variables. */
  async function run(section: string, given: Values, ...wanted: string[]): Promise<Values> {
    const [, body = ''] = text.split(section);
    const [, example] = /```ts\n(.*?)```/s.exec(body) ?? [];
    if (example === undefined) throw new Error(`no example in ${section}`);
    const lines = example.split('\n').filter((line) => !line.startsWith('import '));
    const code = lines.join('\n').replaceAll('1000', '40').replaceAll('128', '8');
    const values: Values = { ...layers, ...given };
    const names = Object.keys(values).filter((name) => !new RegExp(`const (\\{ )?${name}\\b`).test(code));
    const compiled = runInThisContext(
      `(async ({ ${names.join(', ')} }) => { ${code}\nreturn { ${wanted.join(', ')} }; })`,
    ) as (values: Values) => Promise<Values>;
    return compiled(values);
  }

  it('at the beginning', async () => {
    const printed: string[] = [];
    const given = { openGpu, x, y, console: { log: (text: string) => printed.push(text) } };
    const { history, accuracy } = await run('# @convbase/layers', given, 'history', 'accuracy');
    expect(printed.join()).toContain('Conv2D');
    expect(history).toMatchObject({
      loss: expect.any(Array) as unknown,
      val_loss: expect.any(Array) as unknown,
    });
    expect(accuracy).toBeGreaterThanOrEqual(0);
  });

  const model = (loss: string): layers.Model => {
    const names = new layers.NameScope();
    const head = new layers.Dense({
      units: loss.startsWith('sparse') ? 10 : 1,
      activation: loss.startsWith('sparse') ? 'softmax' : 'sigmoid',
      names,
    });
    const made = new layers.Sequential({
      names,
      layers: [layers.input({ shape: [28, 28, 1], names }), new layers.Flatten({ names }), head],
    }).to(gpu());
    made.compile({ optimizer: 'sgd', loss });
    return made;
  };

  it('of datasets', async () => {
    const net = model('sparseCategoricalCrossentropy');
    const { test } = await run('## Data', { model: net, x, y }, 'test');
    expect((test as layers.BatchDataset).sampleCount).toBe(40);
    net.dispose();
  });

  it("of losses of one's own", async () => {
    const net = model('binaryCrossentropy');
    await run('### Of your own', { model: net }, 'focal');
    expect(net.compiled.metrics.map(({ name }) => name)).toEqual(['meanError']);
    const labels = { data: Uint8Array.from(y.data, (label) => label % 2), shape: [100] };
    const { history } = await net.fit(x, labels, { epochs: 2 });
    expect(history['loss']?.[1]).toBeLessThan(history['loss']?.[0] ?? NaN);
    net.dispose();
  });
});
