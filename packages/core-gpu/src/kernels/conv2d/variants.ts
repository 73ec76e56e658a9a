import type { Dispatch } from '../../commands/plan.ts';
import { fragmentVariants } from '../fragments.ts';
import { gpuTileConstants } from './convolve.ts';
import { OUTER_STEP } from './subgroup-tiles.ts';

type Variant = Pick<Dispatch, 'shader' | 'constants'>;

const flags = [false, true];

const gpuTiles = ([4, 8] as const).flatMap((rows) =>
  ([1, 2] as const).map((columns) => gpuTileConstants(rows, columns)),
);

const outerTiles = OUTER_STEP.map(([tileM, tileN]) => ({ ROWS: tileM, COLS: tileN / 32 }));

/** Every shader of this folder with every set of constants that a plan may give it. */
export function variants(): Variant[] {
  const endings = flags.flatMap((HAS_BIAS) =>
    flags.flatMap((ADD_RESIDUAL) =>
      flags.flatMap((RELU) => flags.map((ACCUMULATE) => ({ HAS_BIAS, ADD_RESIDUAL, RELU, ACCUMULATE }))),
    ),
  );
  const forward = endings.flatMap((ending): Variant[] => [
    { shader: 'conv2d/naive-forward', constants: { WORKGROUP: 64, ...ending } },
    ...gpuTiles.map((tile): Variant => ({
      shader: 'conv2d/tile-forward',
      constants: { ...tile, SPLIT: false, ...ending },
    })),
    { shader: 'conv2d/combine-forward', constants: { WORKGROUP: 64, ...ending } },
    ...[1, 2, 3, 4].map((GROUPS): Variant => ({
      shader: 'conv2d/subgroup-forward',
      constants: { GROUPS, TRANSPOSED: false, ...ending },
    })),
    ...outerTiles.map((tile): Variant => ({
      shader: 'conv2d/outer-forward',
      constants: { ...tile, TRANSPOSED: false, ...ending },
    })),
    ...[4, 8].map((PIXELS): Variant => ({
      shader: 'conv2d/register-forward',
      constants: { WORKGROUP: 8, PIXELS, TRANSPOSED: false, ...ending },
    })),
  ]);
  // The input gradient has no ending of its own.
  const turned = flags.flatMap((ACCUMULATE): Variant[] => {
    const ending = { HAS_BIAS: false, ADD_RESIDUAL: false, RELU: false, ACCUMULATE };
    const shared = { TRANSPOSED: true, ...ending };
    return [
      ...[1, 2, 3, 4].map((GROUPS): Variant => ({
        shader: 'conv2d/subgroup-forward',
        constants: { GROUPS, ...shared },
      })),
      ...outerTiles.map((tile): Variant => ({
        shader: 'conv2d/outer-forward',
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
    ...gpuTiles.map((tile): Variant => ({
      shader: 'conv2d/tile-filter-gradient',
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
        shader: 'conv2d/channels',
        constants: { WORKGROUP: 64, HAS_BIAS: flag, ADD_RESIDUAL, RELU },
      })),
    ),
  ]);
  const noEnding = { HAS_BIAS: false, ADD_RESIDUAL: false, RELU: false, ACCUMULATE: false };
  const split = gpuTiles.map((tile): Variant => ({
    shader: 'conv2d/tile-forward',
    constants: { ...tile, SPLIT: true, ...noEnding },
  }));
  const fragments = fragmentVariants().flatMap((tile): Variant[] => {
    const shader = 'conv2d/subgroup-matrix-forward';
    const full = { HAS_BIAS: true, ADD_RESIDUAL: true, RELU: true, ACCUMULATE: true };
    return [
      { shader, constants: { ...tile, SPLIT: true, ...noEnding } },
      { shader, constants: { ...tile, SPLIT: false, ...noEnding } },
      { shader, constants: { ...tile, SPLIT: false, ...full } },
    ];
  });
  const naive: Variant = { shader: 'conv2d/naive-input-gradient', constants: { WORKGROUP: 64 } };
  return [...forward, ...split, ...fragments, ...turned, naive, ...gradients, ...layout];
}
