import type { KernelTarget } from '../../commands/plan.ts';
import type { Ladder, Rung } from '../ladder.ts';
import type { MatmulChoice, MatmulShape } from './choose.ts';
import { planMatmul, planMatmulAs } from './matmul.ts';

const plain = { bias: false, relu: false };

function rung(shape: MatmulShape, name: string, choice: MatmulChoice): Rung {
  const subgroups = choice.variant === 'subgroup' || choice.variant === 'outer-product';
  return {
    name,
    plan: (target) => planMatmulAs(shape, plain, target, choice),
    ...(subgroups && { runsOn: ({ subgroupSize }: KernelTarget) => subgroupSize === 8 }),
  };
}

function ladder(kernel: string, problem: string, shape: MatmulShape, splits: readonly number[]): Ladder {
  const { m, n, k } = shape;
  return {
    kernel,
    problem,
    inputs: { a: m * k, b: k * n, bias: n },
    output: { name: 'c', length: m * n },
    rungs: [
      rung(shape, 'one element per thread', { variant: 'naive', tileM: 8, tileN: 8, rows: 1, splits: 1 }),
      ...splits.flatMap((parts) => {
        const split = parts === 1 ? '' : `, k in ${String(parts)} parts`;
        return [
          rung(shape, `shared memory, tile 32x64${split}`, {
            variant: 'tiled',
            tileM: 32,
            tileN: 64,
            rows: 2,
            splits: parts,
          }),
          rung(shape, `registers, tile 8x32${split}`, {
            variant: 'register',
            tileM: 8,
            tileN: 32,
            rows: 8,
            splits: parts,
          }),
          rung(shape, `subgroup, tile 16x32${split}`, {
            variant: 'subgroup',
            tileM: 16,
            tileN: 32,
            rows: 16,
            splits: parts,
          }),
        ];
      }),
      { name: 'the choice for this adapter', plan: (target) => planMatmul(shape, plain, target) },
    ],
  };
}

/** A square-ish product, from one element per thread to the kernel in use. */
export const matmulLadder = ladder(
  'matmul',
  '1024 x 512 times 512 x 1024',
  { m: 1024, n: 1024, k: 512 },
  [1],
);

/** The dense head on VGG's features: few rows, a long sum. */
export const denseLadder = ladder('dense', '20 x 8192 times 8192 x 256', { m: 20, n: 256, k: 8192 }, [1, 16]);
