import { anyTunable, type Tunable } from '../tuning/tunable.ts';
import {
  conv2dFilterGradientTunable,
  conv2dForwardTunable,
  conv2dInputGradientTunable,
} from './conv2d/tunable.ts';
import { matmulTunable } from './matmul/tunable.ts';
import { conv2dFrozenTunable } from './winograd/tunable.ts';

const all = [
  anyTunable(conv2dForwardTunable),
  anyTunable(conv2dInputGradientTunable),
  anyTunable(conv2dFilterGradientTunable),
  anyTunable(conv2dFrozenTunable),
  anyTunable(matmulTunable),
];

/** Everything that has several ways to be done, by the kernel's name in `Plan.problem`. */
export const tunables: Readonly<Record<string, Tunable>> = Object.fromEntries(
  all.map((tunable) => [tunable.kernel, tunable]),
);

/** The kernels among which there is something to choose. */
export const tunableKernels: readonly string[] = Object.keys(tunables);
