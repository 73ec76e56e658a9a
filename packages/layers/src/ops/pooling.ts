import {
  planAveragePoolForward,
  planAveragePoolInputGradient,
  planGlobalAveragePoolForward,
  planGlobalAveragePoolInputGradient,
  planMaxPoolForward,
  planMaxPoolInputGradient,
  poolShape,
  type Plan,
  type PoolShape,
} from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { dims4 } from './dims.ts';
import { once, PlanCache } from './plan-cache.ts';

export interface PoolOptions {
  readonly pool: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/** A pooling of tensors of one shape. */
interface PoolCall extends PoolOptions {
  readonly kind: 'max' | 'average';
  /** (n, h, w, c) */
  readonly input: readonly [number, number, number, number];
}

interface PoolPlans {
  readonly shape: PoolShape;
  readonly forward: Plan;
  readonly gradient: () => Plan;
}

const kinds = {
  max: { forward: planMaxPoolForward, gradient: planMaxPoolInputGradient },
  average: { forward: planAveragePoolForward, gradient: planAveragePoolInputGradient },
};

const cache = new PlanCache<PoolCall, PoolPlans>(({ kind, ...options }, target) => {
  const shape = poolShape(options);
  const plans = kinds[kind];
  return {
    shape,
    forward: plans.forward(shape, target),
    gradient: once(() => plans.gradient(shape, target)),
  };
});

function planned(kind: 'max' | 'average', x: Tensor, { pool, strides, padding }: PoolOptions): PoolPlans {
  return cache.get({ kind, input: dims4(x), pool, strides, padding }, x.gpu.target);
}

/** Maximum of each window, (n, h, w, c) to (n, oh, ow, c); the gradient goes to the first maximum of the window. */
export function maxPool2d(x: Tensor, options: PoolOptions, tape: Tape | null = null): Tensor {
  const { gpu } = x;
  const { shape, forward, gradient } = planned('max', x, options);
  const y = Tensor.empty(gpu, [shape.n, shape.oh, shape.ow, shape.c], 'max pool', x.dtype);
  gpu.run(forward, { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [x], (dy, [x]) => {
    if (!x) return [null];
    const dx = Tensor.empty(gpu, x.shape, 'max pool dx', dy.dtype);
    gpu.run(gradient(), { x: x.buffer, dy: dy.buffer, dx: dx.buffer });
    return [dx];
  });
  return y;
}

/** Mean of each window, over the pixels that exist. */
export function averagePool2d(x: Tensor, options: PoolOptions, tape: Tape | null = null): Tensor {
  const { gpu, shape: inputShape } = x;
  const { shape, forward, gradient } = planned('average', x, options);
  const y = Tensor.empty(gpu, [shape.n, shape.oh, shape.ow, shape.c], 'average pool', x.dtype);
  gpu.run(forward, { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [], (dy) => {
    const dx = Tensor.empty(gpu, inputShape, 'average pool dx', dy.dtype);
    gpu.run(gradient(), { dy: dy.buffer, dx: dx.buffer });
    return [dx];
  });
  return y;
}

/** Mean over the whole plane, (n, h, w, c) to (n, c). */
export function globalAveragePool2d(x: Tensor, tape: Tape | null = null): Tensor {
  const { gpu, shape: inputShape } = x;
  const [n, h, w, c] = dims4(x);
  const y = Tensor.empty(gpu, [n, c], 'global average pool', x.dtype);
  gpu.run(planGlobalAveragePoolForward({ n, h, w, c }, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [], (dy) => {
    const dx = Tensor.empty(gpu, inputShape, 'global average pool dx', dy.dtype);
    gpu.run(planGlobalAveragePoolInputGradient({ n, h, w, c }, gpu.target), { dy: dy.buffer, dx: dx.buffer });
    return [dx];
  });
  return y;
}
