import { planCrop2d, planZeroPad2d } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { dims4 } from './dims.ts';

/** Rows and columns of zeros around a picture. */
export interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Zeros around each picture, (n, h, w, c) to (n, top + h + bottom, left + w + right, c). */
export function zeroPad2d(x: Tensor, margins: Margins, tape: Tape | null = null): Tensor {
  const { gpu, shape: inputShape } = x;
  const [n, h, w, c] = dims4(x);
  const padding = { n, h, w, c, ...margins };
  const y = Tensor.empty(
    gpu,
    [n, margins.top + h + margins.bottom, margins.left + w + margins.right, c],
    'zero pad',
    x.dtype,
  );
  gpu.run(planZeroPad2d(padding, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [], (dy) => {
    const dx = Tensor.empty(gpu, inputShape, 'zero pad dx', dy.dtype);
    gpu.run(planCrop2d(padding, gpu.target), { dy: dy.buffer, dx: dx.buffer });
    return [dx];
  });
  return y;
}
