import { describe, expect, it } from 'vitest';
import { ops, scope, Tape, TapedTensor, type Scope } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';

const shape = [5, 3];
/** Away from the kinks of abs and maximum, and positive. */
const a = randoms(15, 1).map((value) => 0.3 + Math.abs(value));
const b = randoms(15, 2).map((value, i) => 0.4 + Math.abs(value) + (i % 2) / 3);

type Numbers = readonly number[];
const each =
  (f: (x: number, y: number) => number) =>
  (x: Numbers, y: Numbers): number[] =>
    x.map((value, i) => f(value, y[i] ?? NaN));
const rows = (x: Numbers): Numbers[] => [0, 3, 6, 9, 12].map((from) => x.slice(from, from + 3));
const total = (x: Numbers): number => x.reduce((sum, value) => sum + value, 0);
const columns = (x: Numbers): number[] => [0, 1, 2].map((j) => total(rows(x).map((row) => row[j] ?? NaN)));

/** Each method, and the same in float64. */
const methods: Record<
  string,
  [(x: TapedTensor, y: TapedTensor) => TapedTensor, (x: Numbers, y: Numbers) => number[]]
> = {
  add: [(x, y) => x.add(y), each((x, y) => x + y)],
  'add a number': [(x) => x.add(0.5), each((x) => x + 0.5)],
  sub: [(x, y) => x.sub(y), each((x, y) => x - y)],
  'sub a number': [(x) => x.sub(0.5), each((x) => x - 0.5)],
  mul: [(x, y) => x.mul(y), each((x, y) => x * y)],
  'mul a number': [(x) => x.mul(3), each((x) => 3 * x)],
  'mul itself': [(x) => x.mul(x), each((x) => x * x)],
  div: [(x, y) => x.div(y), each((x, y) => x / y)],
  'div a number': [(x) => x.div(3), each((x) => x / 3)],
  maximum: [(x, y) => x.maximum(y), each(Math.max)],
  'maximum with a number': [(x) => x.maximum(0.7), each((x) => Math.max(x, 0.7))],
  minimum: [(x, y) => x.minimum(y), each(Math.min)],
  'minimum with a number': [(x) => x.minimum(0.7), each((x) => Math.min(x, 0.7))],
  neg: [(x) => x.neg(), each((x) => -x)],
  square: [(x) => x.square(), each((x) => x * x)],
  abs: [(x) => x.sub(0.75).abs(), each((x) => Math.abs(x - 0.75))],
  sqrt: [(x) => x.sqrt(), each(Math.sqrt)],
  exp: [(x) => x.exp(), each(Math.exp)],
  log: [(x) => x.log(), each(Math.log)],
  clipByValue: [(x) => x.clipByValue(0.5, 0.9), each((x) => Math.min(Math.max(x, 0.5), 0.9))],
  relu: [(x) => x.sub(0.75).relu(), each((x) => Math.max(x - 0.75, 0))],
  sigmoid: [(x) => x.sigmoid(), each((x) => 1 / (1 + Math.exp(-x)))],
  tanh: [(x) => x.tanh(), each(Math.tanh)],
  softmax: [
    (x) => x.softmax(),
    (x) => rows(x).flatMap((row) => row.map((v) => Math.exp(v) / total(row.map(Math.exp)))),
  ],
  sum: [(x) => x.sum(), (x) => [total(x)]],
  'sum of rows': [(x) => x.sum(-1), (x) => rows(x).map(total)],
  'sum of rows, the axis counted from the front': [(x) => x.sum(1), (x) => rows(x).map(total)],
  'sum of columns': [(x) => x.sum(0), columns],
  mean: [(x) => x.mean(), (x) => [total(x) / 15]],
  'mean of rows': [(x) => x.mean(-1), (x) => rows(x).map((row) => total(row) / 3)],
  'mean of columns': [(x) => x.mean(0), (x) => columns(x).map((sum) => sum / 5)],
  'reshape, and a sum of what is a row then': [
    (x) => x.reshape([15]).sum(-1).reshape([1]),
    (x) => [total(x)],
  ],
  'apply an op of its own': [
    (x) => x.sum().apply((value, tape) => ops.repeat(value, 4, tape)),
    (x) => [1, 2, 3, 4].map(() => total(x)),
  ],
};

describe('a tensor on a tape', () => {
  const gpu = withGpu();

  /** The values, and the gradients of their weighed sum with respect to both inputs. */
  async function run(
    method: (x: TapedTensor, y: TapedTensor) => TapedTensor,
    own: Scope,
  ): Promise<{ values: Float32Array; weights: Float32Array; gradients: (Float32Array | null)[] }> {
    const inputs = [a, b].map((values) => own.tensor(values, shape));
    const tape = new Tape();
    for (const value of inputs) tape.watch(value);
    const [x, y] = inputs.map((value) => new TapedTensor(value, tape, own)) as [TapedTensor, TapedTensor];
    const made = method(x, y).tensor;
    const values = await made.data();
    const weights = randoms(made.size, 9);
    const found = tape.gradients(made, own.keep(own.tensor(weights, made.shape)));
    const gradients = inputs.map((input) => found.get(input));
    const read = await Promise.all(gradients.map(async (gradient) => (await gradient?.data()) ?? null));
    for (const gradient of found.values()) gradient.dispose();
    return { values, weights, gradients: read };
  }

  it.each(Object.keys(methods))('computes what float64 does, and its slopes: %s', async (name) => {
    const [method, reference] = methods[name] ?? [];
    if (method === undefined || reference === undefined) throw new Error(name);
    await scope(gpu(), async (own) => {
      const { values, weights, gradients } = await run(method, own);
      const expected = reference([...a], [...b]);
      expect(values).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        expect(Math.abs((values[i] ?? NaN) - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)));
      });
      const weighed = (x: Numbers, y: Numbers): number =>
        total(reference(x, y).map((value, i) => value * (weights[i] ?? NaN)));
      const h = 1e-5;
      [a, b].forEach((input, which) => {
        const slopes = [...input].map((_, place) => {
          const moved = (by: number): number => {
            const [x, y] = [a, b].map((values, index) =>
              [...values].map((value, i) => (index === which && i === place ? value + by : value)),
            ) as [number[], number[]];
            return weighed(x, y);
          };
          return (moved(h) - moved(-h)) / (2 * h);
        });
        const gradient = gradients[which] ?? new Float32Array(15);
        slopes.forEach((slope, i) => {
          expect(Math.abs((gradient[i] ?? NaN) - slope)).toBeLessThan(5e-6 * Math.max(1, Math.abs(slope)));
        });
      });
    });
  });

  it('gives everything back at the end of its scope', async () => {
    await scope(gpu(), async (own) => {
      for (const [method] of Object.values(methods)) await run(method, own);
    });
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('says what does not go together', async () => {
    await scope(gpu(), (own) => {
      const of = (...dimensions: number[]): TapedTensor =>
        new TapedTensor(
          own.tensor(new Float32Array(dimensions.reduce((x, y) => x * y, 1)), dimensions),
          null,
          own,
        );
      const code = (value: string): Error => expect.objectContaining({ code: value }) as Error;
      expect(() => of(2, 3).add(of(3, 2))).toThrow(code('op/shape'));
      expect(() => of(2, 3).maximum('5' as unknown as number)).toThrow(code('op/shape'));
      expect(() => of(2, 3, 4).sum(1)).toThrow(code('op/axis'));
      expect(() => of(2).mean(NaN)).toThrow(code('op/axis'));
      expect(() => of(2, 3).reshape([5])).toThrow(code('tensor/reshape'));
    });
  });
});
