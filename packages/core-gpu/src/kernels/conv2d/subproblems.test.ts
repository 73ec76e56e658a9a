import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Binding, KernelTarget } from '../../commands/plan.ts';
import { denseConvolution } from './convolution.ts';
import { splitConvolution } from './subproblems.ts';
import { conv2dLengths, conv2dShape } from './shape.ts';
import { gpuTarget } from '../testing-targets.ts';

const target = (maxBindingBytes: number): KernelTarget => ({
  ...gpuTarget,
  subgroupSize: 0,
  maxBindingBytes,
});
/** Bindings start at multiples of this. */
const step = gpuTarget.offsetAlignment;
const vgg = conv2dShape({ input: [2, 12, 10, 8], kernel: [3, 3, 8, 16], strides: [1, 1], padding: 'same' });

describe('splitConvolution', () => {
  it('is one subproblem with whole buffers where everything fits', () => {
    const subproblems = splitConvolution(denseConvolution(vgg), target(2 ** 20));
    expect(subproblems).toHaveLength(1);
    expect([subproblems[0]?.x('x'), subproblems[0]?.kernel('k'), subproblems[0]?.y('y')]).toEqual([
      'x',
      'k',
      'y',
    ]);
  });

  it('keeps every binding legal and multiplies every pixel with every weight exactly once', () => {
    const small = fc.integer({ min: 1, max: 3 });
    const sides = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        fc.tuple(small, sides, sides, fc.constantFrom(1, 5, 16)),
        fc.tuple(small, small, fc.constantFrom(1, 6, 32)),
        fc.tuple(small, small),
        fc.constantFrom(2 * step, 3 * step, 4 * step, 16 * step),
        ([n, h, w, ci], [kh, kw, co], strides, limit) => {
          const shape = conv2dShape({
            input: [n, h, w, ci],
            kernel: [kh, kw, ci, co],
            strides,
            padding: 'same',
          });
          const lengths = conv2dLengths(shape);
          const legal = (binding: Binding, length: number) => {
            if (typeof binding === 'string') {
              expect(4 * length).toBeLessThanOrEqual(limit);
              return;
            }
            expect(binding.offset % step).toBe(0);
            expect(binding.size).toBeLessThanOrEqual(limit);
            expect(binding.offset + binding.size).toBeLessThanOrEqual(4 * length);
          };
          let products = 0;
          const open = new Set<string>();
          for (const subproblem of splitConvolution(denseConvolution(shape), target(limit))) {
            legal(subproblem.x('x'), lengths.x);
            legal(subproblem.kernel('k'), lengths.kernel);
            legal(subproblem.y('y'), lengths.y);
            const { pixels, kh: rows, kw: columns, ci: channels, first, yOffset } = subproblem.uniforms;
            products += pixels * rows * columns * channels;
            // Sums begin with a first subproblem, go on in the subproblems after it and end with a last one.
            const key = `${JSON.stringify(subproblem.y('y'))} ${String(first)} ${String(yOffset)}`;
            expect(subproblem.firstOfSum).toBe(!open.has(key));
            if (subproblem.lastOfSum) open.delete(key);
            else open.add(key);
          }
          expect(open.size).toBe(0);
          expect(products).toBe(n * shape.oh * shape.ow * kh * kw * ci);
        },
      ),
      { seed: 11, numRuns: 300 },
    );
  });

  it('says so where even one row of channels is too large', () => {
    const wide = conv2dShape({
      input: [1, 1, 1, 4],
      kernel: [1, 1, 4, 200],
      strides: [1, 1],
      padding: 'same',
    });
    expect(() => splitConvolution(denseConvolution(wide), target(step))).toThrow(
      expect.objectContaining({ code: 'conv2d/too-large' }),
    );
  });
});
