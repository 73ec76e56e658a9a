import { describe, expect, it } from 'vitest';
import { randomFloats, runPlan, withGpu } from '../testing.ts';
import { planAccumulate, planAdd, planFill, planMultiply, planScale } from './elementwise.ts';
import { add, multiply, scale } from './reference.ts';

/** One rounding is all that these kernels may do, so the results are exact. */
function rounded(values: Float64Array): number[] {
  return [...Float32Array.from(values)];
}

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('elementwise kernels %s', (_, options) => {
  const gpu = withGpu(options);

  it.each([1, 64, 65, 1000, 5000])('are exact on %i elements', async (count) => {
    const { target } = gpu();
    const a = randomFloats(count, 1);
    const b = randomFloats(count, 2);
    const sum = await runPlan(gpu(), planAdd({ count }, target), { a, b }, { y: count });
    expect([...sum.y]).toEqual(rounded(add(a, b)));
    const product = await runPlan(gpu(), planMultiply({ count }, target), { a, b }, { y: count });
    expect([...product.y]).toEqual(rounded(multiply(a, b)));
    const scaled = await runPlan(gpu(), planScale({ count, factor: 0.375 }, target), { x: a }, { y: count });
    expect([...scaled.y]).toEqual(rounded(scale(a, 0.375)));
    const filled = await runPlan(gpu(), planFill({ count, value: 0.1 }, target), {}, { y: count });
    expect([...filled.y]).toEqual(rounded(new Float64Array(count).fill(0.1)));
    const total = await runPlan(
      gpu(),
      planAccumulate({ count }, target),
      { total: a, value: b },
      { total: count },
    );
    expect([...total.total]).toEqual(rounded(add(a, b)));
  });

  it('leave what follows in the buffer alone', async () => {
    const y = new Float32Array(200).fill(7);
    const filled = await runPlan(gpu(), planFill({ count: 67, value: 1 }, gpu().target), { y }, { y: 200 });
    expect([...filled.y]).toEqual([...new Float32Array(67).fill(1), ...new Float32Array(133).fill(7)]);
  });

  it('do nothing for no elements', () => {
    expect(planAdd({ count: 0 }, gpu().target).dispatches).toEqual([]);
  });
});
