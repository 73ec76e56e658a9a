import {
  batchNorm,
  batchStatistics,
  foldBatchNorm,
  updateMoving,
  type Affine,
  type Statistics,
} from '../ops/batch-norm.ts';
import { dimensionAt, formatShape, type Shape } from '../tensor/shape.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import type { Epilogue, Foldable, FollowsAs, TakesIn } from './fusion.ts';
import { initializerFrom } from './initializers.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';
import { numberOption, wholeOption } from './numbers.ts';
import type { Variable } from './variable.ts';

export interface BatchNormalizationConfig extends LayerConfig {
  /** The channel axis, which has to be the last; -1 when left out. */
  readonly axis?: number;
  /** How much of the moving statistics stays at each step; 0.99 when left out. */
  readonly momentum?: number;
  /** 1e-3 when left out. */
  readonly epsilon?: number;
  /** Whether there is a beta; true when left out. */
  readonly center?: boolean;
  /** Whether there is a gamma; true when left out. */
  readonly scale?: boolean;
}

/**
 * Batch normalisation over the last axis (Ioffe and Szegedy, 2015), as Keras 3: a trainable layer in training uses the
 * batch's mean and biased variance and moves its moving statistics; in any other call, and always while frozen, it
 * uses the moving statistics and leaves them alone.
 */
export class BatchNormalization extends UnaryLayer implements Foldable {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  #gamma: Variable | null = null;
  #beta: Variable | null = null;
  #moving: { mean: Variable; variance: Variable } | null = null;

  constructor(config: BatchNormalizationConfig = {}) {
    super('BatchNormalization', config);
    const axis: unknown = Array.isArray(config.axis) ? config.axis[0] : (config.axis ?? -1);
    this.axis = wholeOption(Number(axis), this.named('axis'), -Infinity);
    this.momentum = numberOption(config.momentum ?? 0.99, this.named('momentum'), [0, 1]);
    this.epsilon = numberOption(config.epsilon ?? 1e-3, this.named('epsilon'), [0, Infinity]);
    this.center = config.center ?? true;
    this.scale = config.scale ?? true;
  }

  get gamma(): Variable | null {
    return this.#gamma;
  }

  get beta(): Variable | null {
    return this.#beta;
  }

  get moving(): { readonly mean: Variable; readonly variance: Variable } {
    return this.#moving ?? this.fail('layer/not-built', 'has no weights yet');
  }

  protected override build(inputs: readonly Shape[]): void {
    const shape = this.singleShape(inputs);
    const channels = dimensionAt(shape, -1);
    if (this.axis !== -1 && this.axis !== shape.length - 1) {
      this.fail(
        'layer/axis',
        `normalises axis ${this.axis} of ${formatShape(shape)}; only the last axis is supported`,
      );
    }
    if (channels === null) this.fail('layer/shape', 'cannot be built for an unknown number of channels');
    const zeros = initializerFrom('zeros');
    const ones = initializerFrom('ones');
    if (this.scale) this.#gamma = this.addWeight('gamma', [channels], ones);
    if (this.center) this.#beta = this.addWeight('beta', [channels], zeros);
    this.#moving = {
      mean: this.addWeight('moving_mean', [channels], zeros, false),
      variance: this.addWeight('moving_variance', [channels], ones, false),
    };
  }

  protected outputShape(input: Shape): Shape {
    const channels = dimensionAt(input, -1);
    const expected = this.moving.mean.size;
    if (channels !== null && channels !== expected) {
      this.fail(
        'layer/shape',
        `expects ${expected} channels, the input of shape ${formatShape(input)} has ${channels}`,
      );
    }
    return input;
  }

  override get usesBatch(): boolean {
    return this.trainable;
  }

  /** A constant map of the channels unless the batch's statistics are used or something is being trained. */
  override followsAs(context: CallContext): FollowsAs | null {
    const isConstant =
      !this.#usesBatchStatistics(context) && !this.weights.some((weight) => context.trains(weight));
    return isConstant ? { kind: 'fold', map: this } : null;
  }

  override takesIn(): TakesIn {
    return { relu: true };
  }

  override fused(x: Tensor, context: CallContext, { relu = false }: Epilogue): Tensor {
    return this.#normalize(x, context, relu);
  }

  foldInto(
    kernel: Tensor,
    bias: Tensor | null,
    dtype: DType,
    context: CallContext,
  ): { kernel: Tensor; bias: Tensor } {
    const { epsilon } = this;
    return foldBatchNorm(kernel, bias, this.#statistics(context), this.#affine(context), epsilon, dtype);
  }

  #usesBatchStatistics(context: CallContext): boolean {
    return context.training && this.usesBatch;
  }

  /** The layer, with a relu in the same kernel if asked for. */
  #normalize(x: Tensor, context: CallContext, relu: boolean): Tensor {
    const options = { epsilon: this.epsilon, relu };
    const affine = this.#affine(context);
    if (!this.#usesBatchStatistics(context)) {
      return batchNorm(x, this.#statistics(context), affine, 'moving', options, context.tape);
    }
    const batch = batchStatistics(x);
    const y = batchNorm(x, batch, affine, 'batch', options, context.tape);
    const moving = this.#statistics(context);
    updateMoving(moving.mean, batch.mean, this.momentum);
    updateMoving(moving.variance, batch.variance, this.momentum);
    this.moving.mean.changed();
    this.moving.variance.changed();
    batch.mean.dispose();
    batch.variance.dispose();
    return y;
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    return this.#normalize(x, context, false);
  }

  #affine(context: CallContext): Affine {
    return { gamma: context.weight(this.#gamma), beta: context.weight(this.#beta) };
  }

  #statistics(context: CallContext): Statistics {
    return { mean: context.weight(this.moving.mean), variance: context.weight(this.moving.variance) };
  }
}
