import { ConvbaseError } from '@convbase/base';
import type { KernelTarget } from '../../commands/plan.ts';
import {
  fittingTiles,
  fragmentConstants,
  fragmentsFor,
  type FragmentConstants,
  type FragmentShape,
} from '../fragments.ts';
import type { MatmulChoice, MatmulShape } from './shape.ts';

type Tile = Pick<MatmulChoice, 'variant' | 'tileM' | 'tileN' | 'rows' | 'element'>;

/**
 * What the fragments of a product may be made of. Rounding float32 operands to float16 is not for convbase to decide, so
 * they get cores that take float32, or none.
 */
export function exactElement(_shape: MatmulShape): FragmentShape['element'] {
  return 'f32';
}

/** Every tile of subgroup-matrix.wgsl for fragments of a kind; none where the target has not got them. */
export function subgroupMatrixTiles(element: FragmentShape['element'], target: KernelTarget): Tile[] {
  const shape = fragmentsFor(target, element);
  if (!shape) return [];
  return fittingTiles(shape, target).map(({ tileM, tileN, rows }) => {
    return { variant: 'subgroup-matrix', tileM, tileN, rows, element };
  });
}

/** The constants of subgroup-matrix.wgsl for a choice. */
export function subgroupMatrixConstants(choice: Tile, target: KernelTarget): FragmentConstants {
  const { tileM, tileN, element = 'f32' } = choice;
  const shape = fragmentsFor(target, element);
  const tile = shape && fittingTiles(shape, target).find((fit) => fit.tileM === tileM && fit.tileN === tileN);
  if (!tile) {
    throw new ConvbaseError('matmul/subgroup-matrix', `no subgroup matrices of ${element} for this tile`, {
      where: `matmul, tile ${String(tileM)} x ${String(tileN)}`,
      fix: 'Choose among matmulCandidates of this target.',
    });
  }
  return fragmentConstants(tile, shape, target.subgroupSize);
}
