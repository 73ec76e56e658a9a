import { ConvbaseError } from '@convbase/base';
import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { checkExtents } from '../check-extents.ts';

/** A range of a random stream, and the share of it that is dropped. */
export interface DropoutOptions {
  readonly count: number;
  /** Share of elements set to 0, from 0 to 1. */
  readonly rate: number;
  /** Which stream: a whole number from 0 to 2^53 - 1. */
  readonly seed: number;
  /** Where in the stream the first element stands; a caller advances it by `count` every time. */
  readonly offset: number;
}

const WORD = 2 ** 32;

/**
 * `y = keep ? x / (1 - rate) : 0`; `x` and `y` have `count` floats. Whether element i is kept depends only on `seed`
 * and `offset + i`, so the gradient is the same plan run on `dy`.
 *
 * @throws ConvbaseError `dropout/options` for a rate outside 0..1, a seed or offset that is no whole number.
 */
export function planDropout({ count, rate, seed, offset }: DropoutOptions, target: KernelTarget): Plan {
  checkExtents('dropout', { count });
  if (!(rate >= 0 && rate <= 1)) {
    throw new ConvbaseError('dropout/options', `the rate is ${String(rate)}, it must be from 0 to 1`);
  }
  for (const [name, value] of Object.entries({ seed, offset })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConvbaseError(
        'dropout/options',
        `${name} ${String(value)} is no whole number from 0 to 2^53 - 1`,
      );
    }
  }
  return {
    kernel: 'dropout',
    variant: 'philox',
    temporaries: {},
    flops: count,
    bytes: 8 * count,
    dispatches: bindingSlices(count, target).map((slice) => {
      const start = offset + slice.first;
      const counter = Math.floor(start / 4);
      const skip = start % 4;
      const threads = Math.ceil((skip + slice.count) / 4);
      return {
        shader: 'dropout/dropout',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: {
          count: slice.count,
          skip,
          counterLow: counter % WORD,
          counterHigh: Math.floor(counter / WORD),
          keyLow: seed % WORD,
          keyHigh: Math.floor(seed / WORD),
          threshold: Math.min(Math.round(rate * WORD), WORD - 1),
          // At rate 1 the one word in 2^32 that is still kept becomes 0 as well.
          scale: rate === 1 ? 0 : 1 / (1 - rate),
          threads,
        },
        bindings: { x: slice.of('x'), y: slice.of('y') },
        grid: grid1d(threads, FLAT_WORKGROUP, target),
      };
    }),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  return [{ shader: 'dropout/dropout', constants: { WORKGROUP: FLAT_WORKGROUP } }];
}
