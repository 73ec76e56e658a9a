import { planMatmul } from '@convbase/core-gpu';
import { rowsAndColumns } from '../ops/dims.ts';
import { add, fill, multiply, scale } from '../ops/elementwise.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Loss } from './loss.ts';

/** The mean of the squared differences of a sample. */
export class MeanSquaredError implements Loss {
  readonly name = 'meanSquaredError';
  readonly takesOver = null;
  readonly labels = 'values';

  perSample(output: Tensor, labels: Tensor): Tensor {
    const { gpu } = output;
    const { rows, columns } = rowsAndColumns(output);
    const difference = subtract(output, labels);
    const squares = multiply(difference, difference);
    const losses = Tensor.empty(gpu, [rows], this.name);
    // Row sums are a product with a column that holds 1 / columns.
    const mean = fill(gpu, [columns, 1], 1 / columns, 'mean weights');
    gpu.run(planMatmul({ m: rows, n: 1, k: columns }, { bias: false, relu: false }, gpu.target), {
      a: squares.buffer,
      b: mean.buffer,
      bias: null,
      c: losses.buffer,
    });
    for (const value of [difference, squares, mean]) value.dispose();
    return losses;
  }

  gradient(output: Tensor, labels: Tensor): Tensor {
    const difference = subtract(output, labels);
    const gradient = scale(difference, 2 / output.size);
    difference.dispose();
    return gradient;
  }
}

function subtract(a: Tensor, b: Tensor): Tensor {
  const negative = scale(b, -1);
  const difference = add(a, negative);
  negative.dispose();
  return difference;
}
