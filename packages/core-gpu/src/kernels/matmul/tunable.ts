import { untuned } from '../../tuning/table.ts';
import { sumTolerance } from '../../tuning/tolerance.ts';
import { distinct, type Tunable } from '../../tuning/tunable.ts';
import { matmulCandidates } from './candidates.ts';
import { chooseMatmul, type MatmulChoice, type MatmulShape } from './choose.ts';
import { planMatmulAs } from './matmul.ts';
import { matmulAt } from './reference.ts';

const none = new Float32Array();

export const matmulTunable: Tunable<MatmulShape, MatmulChoice> = {
  kernel: 'matmul',
  candidates: (shape, target) =>
    distinct([chooseMatmul(shape, untuned(target)), ...matmulCandidates(shape, target)]),
  choose: (shape, target) => chooseMatmul(shape, untuned(target)),
  plans: (shape, choice, target) => ({
    each: planMatmulAs(shape, { bias: false, relu: false }, target, choice),
  }),
  inputs: ({ m, n, k, batch = 1 }) => [
    { name: 'a', length: batch * m * k },
    { name: 'b', length: batch * k * n },
  ],
  unused: ['bias'],
  output: ({ m, n, batch = 1 }) => ({ name: 'c', length: batch * m * n }),
  at: (shape, { a = none, b = none }, index) => matmulAt(shape, a, b, index),
  tolerance: ({ k }) => sumTolerance(k),
};
