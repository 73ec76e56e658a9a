import {
  conv2dShape,
  describeChoice,
  openGpu,
  tunables,
  walkCandidates,
  type Conv2dShape,
  type Gpu,
  type KernelTarget,
} from '@convbase/core-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications } from '../applications/index.ts';
import { randomBatch } from '../profile/random-batch.ts';
import { describeProblem, problemsOf } from './problems-of.ts';

/**
 * Every kernel and tile that the rules or the tuner may pick, on every convolution of the models.
 *
 * Here pictures are cut down to a few pixels, channels and windows are real; `CONVBASE_WALK=full` walks them at full size
 * as well (two to four minutes on a software adapter with two cores).
 */
const isFull = process.env['CONVBASE_WALK'] === 'full';
const kernels = ['conv2d frozen', 'conv2d input gradient', 'conv2d filter gradient'] as const;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ tuned: false });
});
afterAll(() => {
  expect(gpu.memory().liveBuffers).toBe(0);
  gpu.destroy();
});

/** The distinct convolutions of a model for one picture, as it runs them. */
async function convolutionsOf(name: keyof typeof applications, size: number): Promise<Conv2dShape[]> {
  const planner = await openGpu({ backend: 'null' });
  try {
    const inputShape = [size, size, 3];
    const model = await applications[name].create({ includeTop: false, weights: null, inputShape });
    const problems = await problemsOf(planner, model, randomBatch(model, 1), false);
    return problems
      .filter(({ problem }) => problem.kernel.startsWith('conv2d'))
      .map(({ problem }) => problem.shape as unknown as Conv2dShape);
  } finally {
    planner.destroy();
  }
}

/** The same convolution on a picture of a few pixels, odd and even, so that every tile has an edge. */
function cutOut(s: Conv2dShape, n: number): Conv2dShape {
  const same = s.oh === Math.ceil(s.h / s.strideH) && s.ow === Math.ceil(s.w / s.strideW);
  return conv2dShape({
    input: [n, Math.min(s.h, 7), Math.min(s.w, 6 + s.kw), s.ci],
    kernel: [s.kh, s.kw, s.ci, s.co],
    strides: [s.strideH, s.strideW],
    dilations: [s.dilationH, s.dilationW],
    padding: same ? 'same' : 'valid',
  });
}

function distinctShapes(shapes: readonly Conv2dShape[]): Conv2dShape[] {
  return [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()];
}

/** Candidates of software adapters and of GPUs, however the adapter here is called. */
function targets({ target }: Gpu): KernelTarget[] {
  return target.kind === 'software' ? [target, { ...target, kind: 'gpu' }] : [target];
}

async function walk(shapes: readonly Conv2dShape[]): Promise<number> {
  let count = 0;
  for (const shape of shapes) {
    for (const kernel of kernels) {
      const tunable = tunables[kernel];
      if (!tunable) throw new Error(`no candidates for ${kernel}`);
      for (const target of targets(gpu)) {
        const problem = { kernel, shape: { ...shape } };
        for (const { choice, error, tolerance } of await walkCandidates(
          gpu,
          tunable,
          problem.shape,
          target,
        )) {
          count++;
          expect(error, `${describeProblem(problem)}: ${describeChoice(choice)}`).toBeLessThanOrEqual(
            tolerance,
          );
        }
      }
      gpu.trim();
    }
  }
  return count;
}

describe.each([
  ['vgg16', 8],
  ['inception_v3', 30],
] as const)('%s', (name, least) => {
  it('is right with every choice', async () => {
    const shapes = distinctShapes((await convolutionsOf(name, 150)).map((shape) => cutOut(shape, 1)));
    expect(shapes.length).toBeGreaterThanOrEqual(least);
    const count = await walk(shapes);
    expect(count).toBeGreaterThanOrEqual(2 * kernels.length * shapes.length);
  });

  it.runIf(isFull)(
    'is right with every choice at full size',
    async () => {
      const shapes = await convolutionsOf(name, 150);
      expect(await walk(shapes)).toBeGreaterThanOrEqual(2 * kernels.length * shapes.length);
    },
    7_200_000,
  );
});

describe('dense layers of the heads', () => {
  const shapes = [
    { m: 20, k: 8192, n: 256 },
    { m: 20, k: 256, n: 8192, transposeB: true },
    { m: 8192, k: 20, n: 256, transposeA: true },
    { m: 20, k: 256, n: 1 },
  ];
  it.each(shapes)('%j', async (shape) => {
    const { matmul } = tunables;
    if (!matmul) throw new Error('no candidates for matmul');
    for (const target of targets(gpu)) {
      for (const { choice, error, tolerance } of await walkCandidates(gpu, matmul, shape, target)) {
        expect(error, describeChoice(choice)).toBeLessThanOrEqual(tolerance);
      }
    }
  });
});
