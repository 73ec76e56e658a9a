import { packTransforms, planAugment, type ImageTransform, type PreprocessMode } from '@convbase/core-gpu';
import type { ImageSize } from '../augmentation/affine.ts';
import { tensor, Tensor } from '../tensor/tensor.ts';
import { cast } from './cast.ts';
import { dims4 } from './dims.ts';

export interface AugmentOptions {
  /** The size of the output; that of the input when left out. */
  readonly size?: ImageSize;
  /** How values become what the model wants, at the end; `'none'` when left out. */
  readonly mode?: PreprocessMode;
}

/**
 * Pictures (n, h, w, c) of bytes or floats, each with its own transform, as floats: float32 ones, or float16 for
 * float16. No gradient flows through it.
 */
export function augment(
  x: Tensor,
  transforms: readonly ImageTransform[],
  { size, mode = 'none' }: AugmentOptions = {},
): Tensor {
  if (x.dtype === 'float16') {
    const wide = cast(x, 'float32');
    const moved = augment(wide, transforms, { ...(size && { size }), mode });
    wide.dispose();
    const y = cast(moved, 'float16');
    moved.dispose();
    return y;
  }
  const { gpu } = x;
  const [n, h, w, c] = dims4(x);
  const { height: oh, width: ow } = size ?? { height: h, width: w };
  const plan = planAugment({ n, h, w, c, oh, ow, bytes: x.dtype === 'uint8', mode }, transforms, gpu.target);
  const words = new Int32Array(packTransforms(transforms).buffer);
  const parameters = tensor(gpu, words, [words.length], 'transforms');
  const y = Tensor.empty(gpu, [n, oh, ow, c], 'augmented');
  gpu.run(plan, { x: x.buffer, transforms: parameters.buffer, y: y.buffer });
  parameters.dispose();
  return y;
}
