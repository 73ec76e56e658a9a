import { scale } from '../ops/elementwise.ts';
import { square, subtract } from '../ops/math.ts';
import { mean } from '../ops/reduce.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Loss } from './loss.ts';

/** The mean of the squared differences of a sample. */
export class MeanSquaredError implements Loss {
  readonly name = 'meanSquaredError';
  readonly fusedActivation = null;
  readonly labels = 'values';

  perSample(output: Tensor, labels: Tensor): Tensor {
    const difference = subtract(output, labels);
    const squares = square(difference);
    const losses = mean(squares, -1);
    difference.dispose();
    squares.dispose();
    return losses;
  }

  gradient(output: Tensor, labels: Tensor): Tensor {
    const difference = subtract(output, labels);
    const gradient = scale(difference, 2 / output.size);
    difference.dispose();
    return gradient;
  }
}
