import { planMatmul, type Plan } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor, type DType } from '../tensor/tensor.ts';
import { columnSum, reluGradient, storedLike, type ConstantKernel } from './conv2d.ts';
import { rowsAndColumns } from './dims.ts';
import { once, PlanCache } from './plan-cache.ts';

/**
 * A dense layer: x (.., k) times kernel (k, n) plus bias (n) or none, to (.., n). All axes but the last are rows.
 *
 * The result is stored as `dtype`, like x when left out. A float32 kernel is read as float16 where x and the result are
 * float16 (the copy that `constant` keeps, if the kernel is not being trained); its gradient is float32.
 *
 * With y = x w: dx = dy wT, dw = xT dy, db = column sums of dy.
 */
export function dense(
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | null,
  options: { readonly relu?: boolean; readonly dtype?: DType | undefined } = {},
  tape: Tape | null = null,
  constant: Pick<ConstantKernel, 'float16'> | null = null,
): Tensor {
  const { gpu } = x;
  const { relu = false, dtype = x.dtype } = options;
  const { rows: m, columns: k } = rowsAndColumns(x);
  const n = kernel.shape[1] ?? 1;
  const y = Tensor.empty(gpu, [...x.shape.slice(0, -1), n], 'dense', dtype);
  const stored = dtype === 'float16' ? storedLike(x, kernel, constant) : kernel.share();
  const plans = cache.get({ m, n, k, bias: bias !== null, relu }, gpu.target);
  gpu.run(plans.forward, {
    a: x.buffer,
    b: stored.buffer,
    bias: bias?.buffer ?? null,
    c: y.buffer,
  });

  const inputs = bias === null ? [x, kernel] : [x, kernel, bias];
  tape?.record(
    inputs,
    y,
    relu ? [x, stored, y] : [x, stored],
    (dy, [x, kernel, y], [wantsX, wantsKernel, wantsBias]) => {
      const dz = y === undefined ? dy.share() : reluGradient({ y, dy });
      let dx: Tensor | null = null;
      let dkernel: Tensor | null = null;
      let dbias: Tensor | null = null;
      if (wantsX && x && kernel) {
        dx = Tensor.empty(gpu, x.shape, 'dense dx', x.dtype);
        gpu.run(plans.inputGradient(), { a: dz.buffer, b: kernel.buffer, bias: null, c: dx.buffer });
      }
      if (wantsKernel && x) {
        dkernel = Tensor.empty(gpu, [k, n], 'dense dkernel');
        gpu.run(plans.kernelGradient(), { a: x.buffer, b: dz.buffer, bias: null, c: dkernel.buffer });
      }
      if (wantsBias) dbias = columnSum(dz);
      dz.dispose();
      return [dx, dkernel, dbias];
    },
  );
  stored.dispose();
  return y;
}

/** A dense layer of m rows: a product of [m, k] and [k, n], and its epilogue. */
interface DenseCall {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly bias: boolean;
  readonly relu: boolean;
}

interface DensePlans {
  readonly forward: Plan;
  readonly inputGradient: () => Plan;
  readonly kernelGradient: () => Plan;
}

const noEpilogue = { bias: false, relu: false };

const cache = new PlanCache<DenseCall, DensePlans>(({ m, n, k, bias, relu }, target) => ({
  forward: planMatmul({ m, n, k }, { bias, relu }, target),
  inputGradient: once(() => planMatmul({ m, n: k, k: n, transposeB: true }, noEpilogue, target)),
  kernelGradient: once(() => planMatmul({ m: k, n, k: m, transposeA: true }, noEpilogue, target)),
}));
