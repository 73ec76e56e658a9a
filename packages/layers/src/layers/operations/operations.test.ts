import { describe, expect, it } from 'vitest';
import { Model } from '../../model/model.ts';
import { withGpu } from '../../testing/gpu.ts';
import { randoms } from '../../testing/numbers.ts';
import { input } from '../input-layer.ts';
import type { SymbolicTensor } from '../layer.ts';
import { NameScope } from '../names.ts';
import { Arithmetic, GetItem, Stack, type ArithmeticKind, type Constant } from './index.ts';

const gpu = withGpu();
const channels = 3;
const data = randoms(2 * 4 * channels, 5);
const names = new NameScope();

/** What a small model of operations makes of two rows of four pixels. */
async function run(build: (x: SymbolicTensor) => SymbolicTensor): Promise<number[]> {
  const x = input({ shape: [4, channels], names });
  const model = new Model({ inputs: x, outputs: build(x), names }).to(gpu());
  const y = await model.predict({ data, shape: [2, 4, channels] });
  expect(y.shape.slice(1)).toEqual(model.output.shape.slice(1));
  return [...y.data];
}

const number = (value: number): Constant => ({ shape: [], values: [value] });
const row: Constant = { shape: [1, 1, channels], values: [-103.939, -116.779, -123.68] };
const arithmetic = (kind: ArithmeticKind, left: Constant | null, right: Constant | null): Arithmetic =>
  new Arithmetic({ kind, operands: [left, right], names });
const each = (f: (value: number, channel: number) => number): number[] =>
  [...data].map((value, i) => Math.fround(f(value, i % channels)));

describe('arithmetic with constants', () => {
  it.each([
    ['Add', null, row, (x: number, c: number) => x + Math.fround(row.values[c] ?? 0)],
    ['Add', number(0.5), null, (x: number) => x + 0.5],
    ['Subtract', null, number(0.25), (x: number) => x - 0.25],
    ['Subtract', number(1), null, (x: number) => 1 - x],
    ['Multiply', null, number(4), (x: number) => 4 * x],
    ['TrueDivide', null, number(8), (x: number) => x / 8],
  ] as const)('%s %j %j', async (kind, left, right, expected) => {
    expect(await run((x) => arithmetic(kind, left, right).apply(x))).toEqual(each(expected));
  });

  it('takes two tensors of one shape', async () => {
    const twice = await run((x) => arithmetic('Add', null, null).apply([x, x]));
    expect(twice).toEqual(each((x) => 2 * x));
    expect(await run((x) => arithmetic('Subtract', null, null).apply([x, x]))).toEqual(each(() => 0));
    const square = await run((x) => arithmetic('Multiply', null, null).apply([x, x]));
    expect(square).toEqual(each((x) => x * x));
  });

  it('refuses what it cannot do', () => {
    expect(() => arithmetic('Divide', number(1), null)).toThrow(/only a tensor can be divided/);
    const x = input({ shape: [4, channels], names });
    const column: Constant = { shape: [4, 1], values: [1, 2, 3, 4] };
    expect(() => arithmetic('Add', null, column).apply(x)).toThrow(/\(4, 1\) does not go with/);
    expect(() => arithmetic('Add', null, { shape: [2], values: [1] })).toThrow(/do not fill/);
  });
});

describe('x[..., key]', () => {
  const slice = (start: number | null, stop: number | null, step: number | null): object => ({
    start,
    stop,
    step,
  });
  it.each([
    [1, [1]],
    [-1, [2]],
    [slice(null, null, null), [0, 1, 2]],
    [slice(null, null, -1), [2, 1, 0]],
    [slice(1, 3, null), [1, 2]],
    [slice(0, -1, null), [0, 1]],
    [slice(null, null, 2), [0, 2]],
    [slice(5, 0, -1), [2, 1]],
  ])('%j', async (last, picked) => {
    const key = ['...', last] as GetItem['key'];
    const expected = [...data].flatMap((_, i) =>
      i % channels === 0 ? picked.map((channel) => data[i + channel]) : [],
    );
    expect(await run((x) => new GetItem({ key, names }).apply(x))).toEqual(expected);
  });

  it('refuses other axes, channels that are not there, and nothing', () => {
    const x = input({ shape: [4, channels], names });
    const all = { start: null, stop: null, step: null };
    const take = (...key: GetItem['key']): unknown => new GetItem({ key, names }).apply(x);
    expect(take(all, all, 1)).toBeDefined();
    expect(() => take(all, 1)).toThrow(/not possible/);
    expect(() => take(1, '...')).toThrow(/only the last axis/);
    expect(() => take('...', 3)).toThrow(/no channel 3 of 3/);
    expect(() => take('...', { start: 2, stop: 1, step: null })).toThrow(/none of 3 channels/);
  });
});

it('the mirrored channels of caffe preprocessing, stacked and shifted', async () => {
  const y = await run((x) => {
    const planes = [2, 1, 0].map((channel) => new GetItem({ key: ['...', channel], names }).apply(x));
    return arithmetic('Add', null, row).apply(new Stack({ axis: -1, names }).apply(planes));
  });
  expect(y).toEqual(
    [...data].map((_, i) => {
      const c = i % channels;
      return Math.fround((data[i - c + 2 - c] ?? NaN) + Math.fround(row.values[c] ?? NaN));
    }),
  );
});

it('operations are no layers of the model, but stand in its summary', () => {
  const x = input({ shape: [4, channels], names, name: 'in' });
  const y = new Arithmetic({ kind: 'Add', operands: [null, row], name: 'add' }).apply(x);
  const model = new Model({ inputs: x, outputs: y, names });
  expect(model.layers.map(({ name }) => name)).toEqual(['in']);
  expect(model.summary()).toContain('add (Add)');
});
