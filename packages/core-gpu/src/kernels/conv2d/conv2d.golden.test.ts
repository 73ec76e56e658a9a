import { describe, expect, it } from 'vitest';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { relativeError, runPlan, withGpu } from '../testing.ts';
import { planConv2dFilterGradient, planConv2dForward, planConv2dInputGradient } from './conv2d.ts';
import { conv2dShape } from './shape.ts';

type Four = [number, number, number, number];

interface GoldenCase {
  readonly name: string;
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilation?: [number, number];
}

describe.skipIf(!hasGolden('conv2d'))('conv2d against Keras (golden/ops/conv2d)', () => {
  const gpu = withGpu();

  it('agrees in y, dx and dkernel in every case', async () => {
    const golden = readGolden<GoldenCase>('conv2d');
    expect(golden.cases.length).toBeGreaterThan(10);
    for (const { name, strides, padding, dilation } of golden.cases) {
      const tensor = (role: string) => golden.tensor(`${name}.${role}`);
      const [x, kernel, bias, dy] = [tensor('x'), tensor('kernel'), tensor('bias'), tensor('dy')];
      const shape = conv2dShape({
        input: x.shape as Four,
        kernel: kernel.shape as Four,
        strides,
        padding,
        dilations: dilation ?? [1, 1],
      });
      const { target } = gpu();
      const { y } = await runPlan(
        gpu(),
        planConv2dForward(shape, { bias: true, relu: false }, target),
        { x: x.data, kernel: kernel.data, bias: bias.data },
        { y: tensor('y').data.length },
      );
      expect(relativeError(y, tensor('y').data), `${name}.y`).toBeLessThan(1e-5);
      const { dx } = await runPlan(
        gpu(),
        planConv2dInputGradient(shape, target),
        { dy: dy.data, kernel: kernel.data },
        { dx: x.data.length },
      );
      expect(relativeError(dx, tensor('dx').data), `${name}.dx`).toBeLessThan(1e-5);
      const { dkernel } = await runPlan(
        gpu(),
        planConv2dFilterGradient(shape, target),
        { x: x.data, dy: dy.data },
        { dkernel: kernel.data.length },
      );
      expect(relativeError(dkernel, tensor('dkernel').data), `${name}.dkernel`).toBeLessThan(1e-5);
    }
  });
});
