import { planActivation, planActivationGradient, planSoftmax, planSoftmaxGradient } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { rowsAndColumns } from './dims.ts';

/** Elementwise relu, sigmoid or tanh; all three have a gradient that needs the output alone. */
export function activation(kind: 'relu' | 'sigmoid' | 'tanh', x: Tensor, tape: Tape | null = null): Tensor {
  const { gpu } = x;
  const y = Tensor.empty(gpu, x.shape, kind, x.dtype);
  gpu.run(planActivation({ kind, count: x.size }, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [y], (dy, [y]) => {
    if (!y) return [null];
    const dx = Tensor.empty(gpu, y.shape, `${kind} dx`, y.dtype);
    gpu.run(planActivationGradient({ kind, count: y.size }, gpu.target), {
      y: y.buffer,
      dy: dy.buffer,
      dx: dx.buffer,
    });
    return [dx];
  });
  return y;
}

/** Softmax over the last axis. */
export function softmax(x: Tensor, tape: Tape | null = null): Tensor {
  const { gpu } = x;
  const { rows, columns: classes } = rowsAndColumns(x);
  const y = Tensor.empty(gpu, x.shape, 'softmax', x.dtype);
  gpu.run(planSoftmax({ rows, classes }, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [y], (dy, [y]) => {
    if (!y) return [null];
    const dx = Tensor.empty(gpu, y.shape, 'softmax dx', y.dtype);
    gpu.run(planSoftmaxGradient({ rows, classes }, gpu.target), {
      y: y.buffer,
      dy: dy.buffer,
      dx: dx.buffer,
    });
    return [dx];
  });
  return y;
}
