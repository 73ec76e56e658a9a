import { planAccumulate, planAdd } from '@convbase/core-gpu';
import { Tensor } from '../tensor/tensor.ts';

/**
 * `total + value`, consuming both: in place when nobody else looks at the total's buffer (gradients are often shared
 * between the branches of an addition or seen through a reshape), else in a new tensor.
 */
export function addInto(total: Tensor, value: Tensor): Tensor {
  const { gpu } = total;
  if (total.exclusive) {
    gpu.run(planAccumulate({ count: total.size }, gpu.target), { total: total.buffer, value: value.buffer });
    value.dispose();
    return total;
  }
  const y = Tensor.empty(gpu, total.shape, 'gradient sum', total.dtype);
  gpu.run(planAdd({ count: total.size }, gpu.target), { a: total.buffer, b: value.buffer, y: y.buffer });
  total.dispose();
  value.dispose();
  return y;
}
