import type { AffineMatrix, ImageTransform, Interpolation } from '@convbase/core-gpu';
import type { ImageSize } from '../augmentation/affine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { augment } from './augment.ts';
import { dims4 } from './dims.ts';

/**
 * Pictures (n, h, w, c) in another size, as TensorFlow's `tf.image.resize` without antialiasing: the picture is
 * stretched from edge to edge, pixels have their centres at halves.
 */
export function resize(x: Tensor, size: ImageSize, interpolation: Interpolation = 'bilinear'): Tensor {
  const [, h, w] = dims4(x);
  const [sx, sy] = [w / size.width, h / size.height];
  return all(x, size, { matrix: [sx, 0, (sx - 1) / 2, 0, sy, (sy - 1) / 2], interpolation });
}

/**
 * The part of pictures (n, h, w, c) that begins at (`left`, `top`); what lies outside of them is `fillValue`.
 */
export function crop(x: Tensor, top: number, left: number, size: ImageSize, fillValue = 0): Tensor {
  const matrix: AffineMatrix = [1, 0, left, 0, 1, top];
  return all(x, size, { matrix, fillMode: 'constant', fillValue, interpolation: 'nearest' });
}

/** The same for every picture. */
function all(x: Tensor, size: ImageSize, transform: ImageTransform): Tensor {
  return augment(x, new Array<ImageTransform>(dims4(x)[0]).fill(transform), { size });
}
