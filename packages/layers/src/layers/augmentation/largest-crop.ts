import type { ImageSize } from '../../augmentation/affine.ts';
import { dims4 } from '../../ops/dims.ts';
import { crop } from '../../ops/resize.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The largest part of pictures, about their centre, that has the proportions of `target` (Keras' `smart_resize`). */
export function largestCrop(x: Tensor, target: ImageSize): Tensor {
  const [, h, w] = dims4(x);
  const height = Math.max(Math.min(h, Math.trunc((w * target.height) / target.width)), 1);
  const width = Math.max(Math.min(w, Math.trunc((h * target.width) / target.height)), 1);
  return crop(x, Math.trunc((h - height) / 2), Math.trunc((w - width) / 2), { height, width });
}
