import { describe, expect, it } from 'vitest';
import { expectRelative, randomFloats, runPlan, withGpu } from '../testing.ts';
import { planMaximum, planMaximumGradient, planUnary, planUnaryGradient, type UnaryKind } from './math.ts';
import { maximum, maximumGradient, unary, unaryGradient } from './reference.ts';

const kinds: UnaryKind[] = ['exp', 'log', 'abs', 'sqrt', 'reciprocal'];

/** Arguments of all sizes from 1e-30 to 1e30, and many near 1, where log is near 0. */
const positive = Float32Array.from([
  ...Array.from({ length: 3000 }, (_, i) => 10 ** (-30 + i / 50)),
  ...Array.from({ length: 1000 }, (_, i) => 1 + (i - 500) / 2 ** 20),
  ...Array.from({ length: 1000 }, (_, i) => 0.5 + i / 500),
]);
const both = Float32Array.from(positive, (x, i) => (i % 2 === 0 ? x : -x));
/** Between what e^x is 0 and infinity for. */
const exponents = Float32Array.from({ length: 5000 }, (_, i) => -87 + (i / 5000) * 175.7);

const argumentsOf = { exp: exponents, log: positive, abs: both, sqrt: positive, reciprocal: both };
/** Whether the gradient is computed from the function's input. */
const keepsInput = { exp: false, log: true, abs: true, sqrt: false, reciprocal: false };

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('mathematical functions %s', (_, options) => {
  const gpu = withGpu(options);

  const run = async (kind: UnaryKind, x: Float32Array): Promise<Float32Array> => {
    const plan = planUnary({ kind, count: x.length }, gpu().target);
    return (await runPlan(gpu(), plan, { x }, { y: x.length })).y;
  };

  const gradient = async (kind: UnaryKind, v: Float32Array, dy: Float32Array): Promise<Float32Array> => {
    const plan = planUnaryGradient({ kind, count: v.length }, gpu().target);
    return (await runPlan(gpu(), plan, { v, dy }, { dx: v.length })).dx;
  };

  it.each(kinds)('%s has six digits wherever its argument lies', async (kind) => {
    const x = argumentsOf[kind];
    expectRelative(await run(kind, x), unary(kind, x), 4e-7, (i) => `${kind}(${String(x[i])})`);
  });

  it.each<[UnaryKind, number[], number[]]>([
    ['exp', [NaN, Infinity, -Infinity, 0, 100, -200], [NaN, Infinity, 0, 1, Infinity, 0]],
    ['log', [NaN, Infinity, -Infinity, 0, -1, 1], [NaN, Infinity, NaN, -Infinity, NaN, 0]],
    ['abs', [NaN, Infinity, -Infinity, 0, -0, -3], [NaN, Infinity, Infinity, 0, 0, 3]],
    ['sqrt', [NaN, Infinity, 0, 4], [NaN, Infinity, 0, 2]],
    ['reciprocal', [NaN, Infinity, 0, -4], [NaN, 0, Infinity, -0.25]],
  ])('%s of what is no ordinary number is what it is in float64', async (kind, x, expected) => {
    expect([...(await run(kind, Float32Array.from(x)))]).toEqual(expected);
  });

  it.each(kinds)('the gradient of %s agrees with the reference', async (kind) => {
    const x = argumentsOf[kind].filter((value) => Math.abs(value) > 1e-8 && Math.abs(value) < 1e8);
    const v = keepsInput[kind] ? x : Float32Array.from(unary(kind, x));
    const dy = randomFloats(v.length, 4);
    expectRelative(await gradient(kind, v, dy), unaryGradient(kind, v, dy), 1e-6);
  });

  it.each(kinds)('the gradient of %s is what finite differences of float64 say', async (kind) => {
    const x = Float32Array.from({ length: 100 }, (_, i) => 0.3 + i / 40);
    const v = keepsInput[kind] ? x : Float32Array.from(unary(kind, x));
    const h = 1e-5;
    const up = unary(
      kind,
      Array.from(x, (value) => value + h),
    );
    const down = unary(
      kind,
      Array.from(x, (value) => value - h),
    );
    const slopes = up.map((value, i) => (value - (down[i] ?? NaN)) / (2 * h));
    expectRelative(await gradient(kind, v, new Float32Array(100).fill(1)), slopes, 1e-6);
  });

  it('abs has no slope at 0', async () => {
    expect([...(await gradient('abs', Float32Array.of(0, -2, 2), Float32Array.of(5, 5, 5)))]).toEqual([
      0, -5, 5,
    ]);
  });

  it('maximum and its gradients are exact', async () => {
    const [a, b, dy] = [randomFloats(1001, 1), randomFloats(1001, 2), randomFloats(1001, 3)];
    for (let i = 0; i < 100; i++) b[i] = a[i] ?? 0;
    const { target } = gpu();
    const { y } = await runPlan(gpu(), planMaximum({ count: 1001 }, target), { a, b }, { y: 1001 });
    expect([...y]).toEqual([...maximum(a, b)]);
    for (const of of ['a', 'b'] as const) {
      const plan = planMaximumGradient({ of, count: 1001 }, target);
      const { dx } = await runPlan(gpu(), plan, { a, b, dy }, { dx: 1001 });
      expect([...dx]).toEqual([...maximumGradient(of, a, b, dy)]);
    }
  });

  it('maximum is NaN where one of its arguments is', async () => {
    const a = Float32Array.of(NaN, 1, NaN, Infinity, -Infinity, 1e8);
    const b = Float32Array.of(1, NaN, NaN, 1, 1, -1e8);
    const { y } = await runPlan(gpu(), planMaximum({ count: 6 }, gpu().target), { a, b }, { y: 6 });
    expect([...y]).toEqual([NaN, NaN, NaN, Infinity, 1, 1e8]);
  });

  it.each([1, 63, 65, 1025])('writes %i elements and not one more', async (count) => {
    const x = randomFloats(count, 2);
    expect([...(await run('abs', x))]).toEqual([...x].map(Math.abs));
    const y = new Float32Array(count + 70).fill(7);
    const dx = new Float32Array(count + 70).fill(7);
    const after = new Array<number>(70).fill(7);
    const plan = planMaximum({ count }, gpu().target);
    const result = await runPlan(gpu(), plan, { a: x, b: x, y }, { y: count + 70 });
    expect([...result.y]).toEqual([...x, ...after]);
    const back = planMaximumGradient({ of: 'a', count }, gpu().target);
    const gradients = await runPlan(gpu(), back, { a: x, b: x, dy: x, dx }, { dx: count + 70 });
    expect([...gradients.dx]).toEqual([...x, ...after]);
  });
});
