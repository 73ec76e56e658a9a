import { planMatmul, type KernelTarget, type Plan } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { columnSum, reluGradient } from './conv2d.ts';
import { rowsAndColumns } from './dims.ts';
import { Kept, once } from './kept.ts';

/**
 * A dense layer: x (.., k) times kernel (k, n) plus bias (n) or none, to (.., n). All axes but the last are rows.
 *
 * With y = x w: dx = dy wT, dw = xT dy, db = column sums of dy.
 */
export function dense(
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | null,
  options: { readonly relu?: boolean } = {},
  tape: Tape | null = null,
): Tensor {
  const { gpu } = x;
  const { relu = false } = options;
  const { rows: m, columns: k } = rowsAndColumns(x);
  const n = kernel.shape[1] ?? 1;
  const y = Tensor.empty(gpu, [...x.shape.slice(0, -1), n], 'dense');
  const plans = planned(m, n, k, { bias: bias !== null, relu }, gpu.target);
  gpu.run(plans.forward, {
    a: x.buffer,
    b: kernel.buffer,
    bias: bias?.buffer ?? null,
    c: y.buffer,
  });

  const inputs = bias === null ? [x, kernel] : [x, kernel, bias];
  tape?.record(
    inputs,
    y,
    relu ? [x, kernel, y] : [x, kernel],
    (dy, [x, kernel, y], [wantsX, wantsKernel, wantsBias]) => {
      const dz = y === undefined ? dy.share() : reluGradient(y, dy);
      let dx: Tensor | null = null;
      let dkernel: Tensor | null = null;
      let dbias: Tensor | null = null;
      if (wantsX && x && kernel) {
        dx = Tensor.empty(gpu, x.shape, 'dense dx');
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
  return y;
}

interface Planned {
  readonly forward: Plan;
  readonly inputGradient: () => Plan;
  readonly kernelGradient: () => Plan;
}

const kept = new Kept<Planned>();

function planned(
  m: number,
  n: number,
  k: number,
  epilogue: { readonly bias: boolean; readonly relu: boolean },
  target: KernelTarget,
): Planned {
  const plain = { bias: false, relu: false };
  return kept.get(target, `${m},${n},${k},${epilogue.bias},${epilogue.relu}`, () => ({
    forward: planMatmul({ m, n, k }, epilogue, target),
    inputGradient: once(() => planMatmul({ m, n: k, k: n, transposeB: true }, plain, target)),
    kernelGradient: once(() => planMatmul({ m: k, n, k: m, transposeA: true }, plain, target)),
  }));
}
