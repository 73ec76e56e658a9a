import type { KernelTarget } from '../../commands/plan.ts';
import { fragmentElement, usableTiles } from '../fragments.ts';
import type { FilterGradientChoice, ForwardChoice } from './choose.ts';
import type { Conv2dShape } from './shape.ts';
import { OUTER_PRODUCT_STEP } from './subgroup-tiles.ts';

/** Tiles of a GPU's workgroup as (rows, columns) of a thread. */
const sharedMemoryTiles = [
  [8, 2],
  [8, 1],
  [4, 2],
  [4, 1],
] as const;

/** Partial sums of a split sum take at most this many bytes. */
const MOST_PARTIAL_BYTES = 64 * 1024 ** 2;

/** Every kernel of the forward pass (and of the input gradient) that may be picked for a shape on this target. */
export function forwardCandidates(shape: Conv2dShape, target: KernelTarget): ForwardChoice[] {
  const depth = shape.kh * shape.kw * shape.ci;
  const floats = shape.n * shape.oh * shape.ow * shape.co;
  const splits = [1, 2, 4, 8, 16].filter(
    (count) => count === 1 || (depth / count >= 128 && 4 * floats * count <= MOST_PARTIAL_BYTES),
  );
  const element = fragmentElement(target);
  const fragments = usableTiles(target).flatMap(({ tileM, tileN }) =>
    splits.map((count) => ({ variant: 'subgroup-matrix' as const, tileM, tileN, element, splits: count })),
  );
  // Software adapters take seconds to compile a shared-memory kernel, and minutes to run one over a model's shapes.
  if (target.kind === 'software') {
    return [
      ...fragments,
      ...([4, 8] as const).map((pixels) => ({ variant: 'register' as const, pixels })),
      ...(target.subgroupSize === 8
        ? [
            ...OUTER_PRODUCT_STEP.map(([tileM, tileN]) => ({
              variant: 'outer-product' as const,
              tileM,
              tileN,
            })),
            ...[1, 2, 3, 4].map((groups) => ({ variant: 'subgroup' as const, groups })),
          ]
        : []),
    ];
  }
  const tiles = sharedMemoryTiles.flatMap(([rows, columns]) =>
    splits.map((count) => ({ variant: 'tiled' as const, rows, columns, splits: count })),
  );
  return [...tiles, ...fragments];
}

/** Every kernel of the input gradient: a forward pass over dy, one for each phase of the strides. */
export function inputGradientCandidates(shape: Conv2dShape, target: KernelTarget): ForwardChoice[] {
  const { h, w, ci, co, strideH, strideW } = shape;
  const phase = { oh: Math.ceil(h / strideH), ow: Math.ceil(w / strideW), ci: co, co: ci };
  return forwardCandidates({ ...shape, ...phase }, target);
}

/** Every kernel of the filter gradient with every number of parts worth a try. */
export function filterGradientCandidates(shape: Conv2dShape, target: KernelTarget): FilterGradientChoice[] {
  const pixels = shape.n * shape.oh * shape.ow;
  const weights = shape.kh * shape.kw * shape.ci * shape.co;
  const splits = [1, 2, 4, 8, 16, 32, 64].filter(
    (count) => count === 1 || (pixels / count >= 64 && 4 * weights * count <= MOST_PARTIAL_BYTES),
  );
  return splits.flatMap((count): FilterGradientChoice[] => {
    if (target.kind !== 'software')
      return sharedMemoryTiles.map(([rows, columns]) => ({ variant: 'tiled', rows, columns, splits: count }));
    const wide = ([1, 2] as const).map((columns) => ({
      variant: 'subgroup' as const,
      columns,
      splits: count,
    }));
    return [{ variant: 'register', splits: count }, ...(target.subgroupSize === 8 ? wide : [])];
  });
}
