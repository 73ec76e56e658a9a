import { conv2dFilterGradientLadder, conv2dInputGradientLadder, conv2dLadder } from './conv2d/ladder.ts';
import { batchNormLadder, batchNormStatisticsLadder } from './batch-norm/ladder.ts';
import { elementwiseLadder } from './elementwise/ladder.ts';
import type { Ladder } from './ladder.ts';
import { denseLadder, matmulLadder } from './matmul/ladder.ts';
import {
  averagePoolingLadder,
  globalPoolingLadder,
  maxPoolGradientLadder,
  poolingLadder,
} from './pooling/ladder.ts';
import { softmaxLadder } from './softmax/ladder.ts';
import { winogradLadder } from './winograd/ladder.ts';

const all = [
  matmulLadder,
  denseLadder,
  batchNormLadder,
  batchNormStatisticsLadder,
  conv2dLadder,
  conv2dInputGradientLadder,
  conv2dFilterGradientLadder,
  winogradLadder,
  poolingLadder,
  averagePoolingLadder,
  maxPoolGradientLadder,
  globalPoolingLadder,
  softmaxLadder,
  elementwiseLadder,
];

/** Every ladder by the name of its kernel: `npm run ladder -- <name>` climbs one. */
export const ladders: Readonly<Record<string, Ladder>> = Object.fromEntries(
  all.map((ladder) => [ladder.kernel, ladder]),
);
