import type { Dispatch } from '../../commands/plan.ts';
import { fragmentVariants } from '../fragments.ts';
import { tiledConstants } from './convolve.ts';
import { OUTER_PRODUCT_STEP } from './subgroup-tiles.ts';

type Variant = Pick<Dispatch, 'shader' | 'constants'>;

const flags = [false, true];

const sharedMemoryTiles = ([4, 8] as const).flatMap((rows) =>
  ([1, 2] as const).map((columns) => tiledConstants(rows, columns)),
);

const outerProductTiles = OUTER_PRODUCT_STEP.map(([tileM, tileN]) => ({ ROWS: tileM, COLS: tileN / 32 }));

/** Every shader of this folder with every set of constants that a plan may give it. */
export function variants(): Variant[] {
  const epilogues = flags.flatMap((HAS_BIAS) =>
    flags.flatMap((ADD_RESIDUAL) =>
      flags.flatMap((RELU) => flags.map((ACCUMULATE) => ({ HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE }))),
    ),
  );
  const forward = epilogues.flatMap((epilogue): Variant[] => [
    { shader: 'conv2d/naive-forward', constants: { WORKGROUP: 64, ...epilogue } },
    ...sharedMemoryTiles.map((tile): Variant => ({
      shader: 'conv2d/tiled-forward',
      constants: { ...tile, SPLIT: false, ...epilogue },
    })),
    { shader: 'conv2d/combine-forward', constants: { WORKGROUP: 64, ...epilogue } },
    ...[1, 2, 3, 4].map((GROUPS): Variant => ({
      shader: 'conv2d/subgroup-forward',
      constants: { GROUPS, TRANSPOSED: false, ...epilogue },
    })),
    ...outerProductTiles.map((tile): Variant => ({
      shader: 'conv2d/outer-product-forward',
      constants: { ...tile, TRANSPOSED: false, ...epilogue },
    })),
    ...[4, 8].map((PIXELS): Variant => ({
      shader: 'conv2d/register-forward',
      constants: { WORKGROUP: 8, PIXELS, TRANSPOSED: false, ...epilogue },
    })),
  ]);
  // The input gradient has no epilogue.
  const transposed = flags.flatMap((ACCUMULATE): Variant[] => {
    const epilogue = { HAS_BIAS: false, ADD_RESIDUAL: false, RELU: false, ACCUMULATE };
    const shared = { TRANSPOSED: true, ...epilogue };
    return [
      ...[1, 2, 3, 4].map((GROUPS): Variant => ({
        shader: 'conv2d/subgroup-forward',
        constants: { GROUPS, ...shared },
      })),
      ...outerProductTiles.map((tile): Variant => ({
        shader: 'conv2d/outer-product-forward',
        constants: { ...tile, ...shared },
      })),
      ...[4, 8].map((PIXELS): Variant => ({
        shader: 'conv2d/register-forward',
        constants: { WORKGROUP: 8, PIXELS, ...shared },
      })),
    ];
  });
  const gradients = flags.flatMap((ACCUMULATE): Variant[] => [
    { shader: 'conv2d/naive-filter-gradient', constants: { WORKGROUP: 64, ACCUMULATE } },
    ...sharedMemoryTiles.map((tile): Variant => ({
      shader: 'conv2d/tiled-filter-gradient',
      constants: { ...tile, ACCUMULATE },
    })),
    ...[1, 2].map((COLS): Variant => ({
      shader: 'conv2d/subgroup-filter-gradient',
      constants: { COLS, ACCUMULATE },
    })),
    { shader: 'conv2d/register-filter-gradient', constants: { ACCUMULATE } },
    { shader: 'conv2d/sum-partials', constants: { WORKGROUP: 64, ACCUMULATE } },
  ]);
  const layout = flags.flatMap((flag): Variant[] => [
    { shader: 'conv2d/pack-kernel', constants: { WORKGROUP: 64, TRANSPOSE: flag } },
    ...flags.flatMap((ADD_RESIDUAL) =>
      flags.map((RELU): Variant => ({
        shader: 'conv2d/copy-channels',
        constants: { WORKGROUP: 64, HAS_BIAS: flag, ADD_RESIDUAL, RELU },
      })),
    ),
  ]);
  const noEpilogue = { HAS_BIAS: false, ADD_RESIDUAL: false, RELU: false, ACCUMULATE: false };
  const split = sharedMemoryTiles.map((tile): Variant => ({
    shader: 'conv2d/tiled-forward',
    constants: { ...tile, SPLIT: true, ...noEpilogue },
  }));
  const fragments = fragmentVariants().flatMap((tile): Variant[] => {
    const shader = 'conv2d/subgroup-matrix-forward';
    const full = { HAS_BIAS: true, ADD_RESIDUAL: true, RELU: true, ACCUMULATE: true };
    return [
      { shader, constants: { ...tile, SPLIT: true, ...noEpilogue } },
      { shader, constants: { ...tile, SPLIT: false, ...noEpilogue } },
      { shader, constants: { ...tile, SPLIT: false, ...full } },
    ];
  });
  const naive: Variant = { shader: 'conv2d/naive-input-gradient', constants: { WORKGROUP: 64 } };
  return [...forward, ...split, ...fragments, ...transposed, naive, ...gradients, ...layout];
}
