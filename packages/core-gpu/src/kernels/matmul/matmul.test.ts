import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectClose, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { planMatmul, type MatmulShape } from './matmul.ts';
import { matmulReference } from './reference.ts';

const size = fc.integer({ min: 1, max: 70 });
const shapes: fc.Arbitrary<Required<MatmulShape>> = fc.record({
  m: size,
  n: size,
  k: size,
  batch: fc.integer({ min: 1, max: 3 }),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

describe.each([
  ['bindings as large as the adapter allows', {}],
  ['bindings of 1 KiB', { bindingLimit: 1024 }],
])('matmul with %s', (_name, options) => {
  const gpu = withGpu(options);

  it('agrees with the reference on random shapes', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), fc.boolean(), async (shape, hasBias, relu) => {
        const { m, n, k, batch } = shape;
        const a = randomFloats(batch * m * k, 1);
        const b = randomFloats(batch * k * n, 2);
        const bias = randomFloats(n, 3);
        const plan = planMatmul(shape, { bias: hasBias, relu }, gpu().target);
        const { c } = await runPlan(gpu(), plan, { a, b, bias: hasBias ? bias : null }, { c: batch * m * n });
        expectClose(c, matmulReference(shape, a, b, { ...(hasBias ? { bias } : {}), relu }), {
          terms: k + 1,
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe.skipIf(!hasGolden('dense_losses'))('dense layers of the golden file', () => {
  const gpu = withGpu();
  const golden = hasGolden('dense_losses') ? readGolden('dense_losses') : undefined;

  it.each(['dense_0', 'dense_1', 'dense_2', 'dense_3'])('%s: forward and gradients', async (name) => {
    if (!golden) throw new Error('no golden file');
    const { data: x, shape } = golden.tensor(`${name}.x`);
    const { data: kernel } = golden.tensor(`${name}.kernel`);
    const { data: bias } = golden.tensor(`${name}.bias`);
    const { data: dy } = golden.tensor(`${name}.dy`);
    const [rows = 0, inputs = 0] = shape;
    const units = bias.length;
    const none = { bias: false, relu: false };
    const { target } = gpu();

    const forward = planMatmul({ m: rows, n: units, k: inputs }, { bias: true, relu: false }, target);
    const { c: y } = await runPlan(gpu(), forward, { a: x, b: kernel, bias }, { c: rows * units });
    expect(relativeError(y, golden.tensor(`${name}.y`).data)).toBeLessThan(1e-6);

    const toInput = planMatmul({ m: rows, n: inputs, k: units, transposeB: true }, none, target);
    const { c: dx } = await runPlan(gpu(), toInput, { a: dy, b: kernel, bias: null }, { c: x.length });
    expect(relativeError(dx, golden.tensor(`${name}.dx`).data)).toBeLessThan(1e-6);

    const toKernel = planMatmul({ m: inputs, n: units, k: rows, transposeA: true }, none, target);
    const { c: dkernel } = await runPlan(gpu(), toKernel, { a: x, b: dy, bias: null }, { c: kernel.length });
    expect(relativeError(dkernel, golden.tensor(`${name}.dkernel`).data)).toBeLessThan(1e-6);
  });
});
