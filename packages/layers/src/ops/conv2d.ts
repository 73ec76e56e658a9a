import {
  chooseConv2dFrozen,
  conv2dShape,
  isWinograd,
  multipliesFloat16,
  planActivationGradient,
  planColumnSum,
  planConv2dFilterGradient,
  planConv2dForward,
  planConv2dFrozen,
  planConv2dInputGradient,
  type Conv2dEpilogue,
  type Conv2dShape,
  type Gpu,
  type KernelTarget,
  type Plan,
  type WinogradChoice,
} from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { cast } from './cast.ts';
import { dims4 } from './dims.ts';
import { once, PlanCache } from './plan-cache.ts';
import { Tensor, type DType } from '../tensor/tensor.ts';

export interface Conv2dOptions {
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilations: readonly [number, number];
  /** Applies relu in the same kernel. */
  readonly relu?: boolean;
  /** Adds a tensor like the result before the relu, in the same kernel. Without gradients only. */
  readonly residual?: Tensor | undefined;
  /** What the result is stored as; like x when left out. */
  readonly dtype?: DType | undefined;
  /** Where to write the result, in place of a tensor of its own. Without gradients and without a residual only. */
  readonly slot?: Slot | undefined;
}

/** Some channels of a wider tensor, which several ops write one after the other: a concatenation without copies. */
export interface Slot {
  readonly channels: number;
  readonly offset: number;
  /** The wider tensor with these other axes, as a tensor of the caller's own; the first to ask makes it. */
  readonly tensor: (gpu: Gpu, rest: readonly number[], dtype: DType) => Tensor;
}

/** A kernel that stays as it is for longer, so that work done on it once pays. */
export interface ConstantKernel {
  /** The kernel transformed as Winograd's algorithm wants it for this choice; borrowed. */
  readonly transformed: (choice: WinogradChoice) => Tensor;
  /** The kernel as float16; borrowed. */
  readonly float16: () => Tensor;
}

/**
 * 2D convolution: x (n, h, w, ci) with kernel (kh, kw, ci, co) and bias (co) or none, to (n, oh, ow, co).
 * A float32 kernel is read as float16 where x is float16; its gradient is float32.
 * The gradients are derived in core-gpu's `kernels/conv2d/README.md`. With `constant`, which says that the kernel is not
 * being trained, Winograd's algorithm may compute it (`kernels/winograd/README.md`).
 */
export function conv2d(
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | null,
  options: Conv2dOptions,
  tape: Tape | null = null,
  constant: ConstantKernel | null = null,
): Tensor {
  const { gpu } = x;
  const { strides, padding, dilations, relu = false, residual, slot } = options;
  // Tensor cores multiply the tensors as they are: a kernel transformed for Winograd, which is float32, is not for them.
  const onCores = x.dtype === 'float16' && multipliesFloat16(gpu.target);
  const call: Conv2dCall = {
    ...{ input: dims4(x), kernel: dims4(kernel), strides, padding, dilations },
    ...{ bias: bias !== null, relu, residual: residual !== undefined },
    outputSlice: slot && [slot.channels, slot.offset],
    constant: constant !== null && !onCores,
  };
  const { shape, forward, inputGradient, filterGradient } = cache.get(call, gpu.target);
  const rest = [shape.n, shape.oh, shape.ow];
  const y =
    slot?.tensor(gpu, rest, x.dtype) ??
    Tensor.empty(gpu, [...rest, shape.co], 'conv2d', options.dtype ?? x.dtype);
  const transformedKernel = forward.winograd === null ? undefined : constant?.transformed(forward.winograd);
  const stored = transformedKernel === undefined ? storedLike(x, kernel, constant) : kernel.share();
  const weights =
    transformedKernel === undefined
      ? { kernel: stored.buffer }
      : { transformedKernel: transformedKernel.buffer };
  gpu.run(forward.plan, {
    x: x.buffer,
    ...weights,
    bias: bias?.buffer ?? null,
    y: y.buffer,
    ...(residual && { residual: residual.buffer }),
  });
  if (residual !== undefined || slot !== undefined) {
    stored.dispose();
    return y;
  }

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
        dx = Tensor.empty(gpu, x.shape, 'conv2d dx', x.dtype);
        gpu.run(inputGradient(), {
          dy: dz.buffer,
          kernel: kernel.buffer,
          dx: dx.buffer,
        });
      }
      if (wantsKernel && x && kernel) {
        dkernel = Tensor.empty(gpu, kernel.shape, 'conv2d dkernel');
        gpu.run(filterGradient(), {
          x: x.buffer,
          dy: dz.buffer,
          dkernel: dkernel.buffer,
        });
      }
      if (wantsBias) dbias = columnSum(dz);
      dz.dispose();
      return [dx, dkernel, dbias];
    },
  );
  stored.dispose();
  return y;
}

/** The kernel as kernels read it beside x: as float16 where x is. The caller owns it. */
export function storedLike(
  x: Tensor,
  kernel: Tensor,
  constant: Pick<ConstantKernel, 'float16'> | null,
): Tensor {
  if (x.dtype !== 'float16' || kernel.dtype === 'float16') return kernel.share();
  return constant === null ? cast(kernel, 'float16') : constant.float16().share();
}

/** A convolution of tensors of these shapes, and its epilogue: all that its plans depend on. */
interface Conv2dCall {
  readonly input: readonly [number, number, number, number];
  readonly kernel: readonly [number, number, number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilations: readonly [number, number];
  readonly bias: boolean;
  readonly relu: boolean;
  readonly residual: boolean;
  /** Of the wider tensor that is written to, if any: its channels, and the first of those that are written. */
  readonly outputSlice: readonly [channels: number, offset: number] | undefined;
  /** Whether the kernel is not being trained, so that Winograd's algorithm may be chosen. */
  readonly constant: boolean;
}

/** A convolution's shape, and the plans of it and its gradients; each gradient is planned when it is first wanted. */
interface Conv2dPlans {
  readonly shape: Conv2dShape;
  readonly forward: { readonly plan: Plan; readonly winograd: WinogradChoice | null };
  readonly inputGradient: () => Plan;
  readonly filterGradient: () => Plan;
}

const cache = new PlanCache<Conv2dCall, Conv2dPlans>((call, target) => {
  const { input, kernel, strides, padding, dilations, bias, relu, residual, outputSlice, constant } = call;
  const shape = conv2dShape({ input, kernel, strides, padding, dilations });
  const [channels = 0, offset = 0] = outputSlice ?? [];
  const epilogue = { bias, relu, residual, ...(outputSlice && { outputSlice: { channels, offset } }) };
  return {
    shape,
    forward: planForward(shape, epilogue, constant, target),
    inputGradient: once(() => planConv2dInputGradient(shape, target)),
    filterGradient: once(() => planConv2dFilterGradient(shape, target)),
  };
});

function planForward(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  constant: boolean,
  target: KernelTarget,
): Conv2dPlans['forward'] {
  if (!constant) return { plan: planConv2dForward(shape, epilogue, target), winograd: null };
  const choice = chooseConv2dFrozen(shape, epilogue, target);
  const plan = planConv2dFrozen(shape, epilogue, target, choice);
  return { plan, winograd: isWinograd(choice) ? choice : null };
}

/** The gradient through a relu, from its output: `dy` where `y > 0`. */
export function reluGradient({ y, dy }: { readonly y: Tensor; readonly dy: Tensor }): Tensor {
  const { gpu } = y;
  const dx = Tensor.empty(gpu, y.shape, 'relu dx', y.dtype);
  gpu.run(planActivationGradient({ kind: 'relu', count: y.size }, gpu.target), {
    y: y.buffer,
    dy: dy.buffer,
    dx: dx.buffer,
  });
  return dx;
}

/** The sum over all but the last axis, which is the gradient of a bias. */
export function columnSum(x: Tensor): Tensor {
  const { gpu } = x;
  const columns = x.shape.at(-1) ?? 1;
  const y = Tensor.empty(gpu, [columns], 'column sum');
  gpu.run(planColumnSum({ rows: x.size / columns, columns }, gpu.target), { x: x.buffer, y: y.buffer });
  return y;
}
