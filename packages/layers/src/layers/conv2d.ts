import { conv2d, type Conv2dOptions } from '../ops/conv2d.ts';
import { regularizerFrom, type Regularizer, type RegularizerLike } from '../regularizers/index.ts';
import { dimensionAt, formatShape, type Shape } from '../tensor/shape.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import { ActivatedLayer, type ActivatedConfig, type LinearOptions } from './activated.ts';
import { ConstantKernels } from './constant-kernels.ts';
import type { CallContext } from './context.ts';
import { FoldedWeights } from './folded-weights.ts';
import type { Foldable, TakesIn } from './fusion.ts';
import { initializerFrom, type Initializer, type InitializerLike } from './initializers.ts';
import { wholeOption } from './numbers.ts';
import { pair, paddingFrom, type PairLike } from './pairs.ts';
import type { Variable } from './variable.ts';
import { windowCount } from './window.ts';

export interface Conv2DConfig extends ActivatedConfig {
  readonly filters: number;
  readonly kernelSize: PairLike;
  readonly strides?: PairLike;
  /** `'valid'` when left out. */
  readonly padding?: string;
  readonly dilationRate?: PairLike;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerLike;
  readonly biasInitializer?: InitializerLike;
  /** What the size of the kernel adds to the loss: `l2(1e-4)`. */
  readonly kernelRegularizer?: RegularizerLike | null;
  readonly biasRegularizer?: RegularizerLike | null;
}

/** 2D convolution, NHWC with kernels (height, width, in, out). */
export class Conv2D extends ActivatedLayer {
  readonly filters: number;
  readonly kernelSize: readonly [number, number];
  readonly options: Conv2dOptions;
  readonly useBias: boolean;
  readonly kernelRegularizer: Regularizer | null;
  readonly biasRegularizer: Regularizer | null;
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
  readonly #folded = new FoldedWeights();
  readonly #constant = new ConstantKernels();
  #kernel: Variable | null = null;
  #bias: Variable | null = null;
  #sources: { readonly map: Foldable; readonly from: readonly Variable[] } | null = null;

  constructor(config: Conv2DConfig) {
    super('Conv2D', config);
    this.filters = wholeOption(config.filters, this.named('filters'));
    this.kernelSize = pair(config.kernelSize, `kernelSize of ${this.name}`);
    this.options = {
      strides: pair(config.strides ?? 1, `strides of ${this.name}`),
      padding: paddingFrom(config.padding ?? 'valid', `padding of ${this.name}`),
      dilations: pair(config.dilationRate ?? 1, `dilationRate of ${this.name}`),
    };
    this.useBias = config.useBias ?? true;
    this.kernelInitializer = initializerFrom(config.kernelInitializer ?? 'glorotUniform');
    this.biasInitializer = initializerFrom(config.biasInitializer ?? 'zeros');
    this.kernelRegularizer = regularizerFrom(config.kernelRegularizer);
    this.biasRegularizer = regularizerFrom(config.biasRegularizer);
  }

  get kernel(): Variable {
    return this.#kernel ?? this.fail('layer/not-built', 'has no weights yet');
  }

  get bias(): Variable | null {
    return this.#bias;
  }

  protected override build(inputs: readonly Shape[]): void {
    const channels = dimensionAt(this.singleShape(inputs, 4), -1);
    if (channels === null) {
      this.fail(
        'layer/shape',
        'cannot be built for an unknown number of channels',
        'Give the input its channels: [null, null, 3].',
      );
    }
    this.#kernel = this.addWeight(
      'kernel',
      [...this.kernelSize, channels, this.filters],
      this.kernelInitializer,
    );
    if (this.useBias) this.#bias = this.addWeight('bias', [this.filters], this.biasInitializer);
    this.#kernel.regularizer = this.kernelRegularizer;
    if (this.#bias !== null) this.#bias.regularizer = this.biasRegularizer;
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, h = null, w = null, channels = null] = this.singleShape([input], 4);
    const expected = this.kernel.shape[2];
    if (channels !== null && channels !== expected) {
      this.fail(
        'layer/shape',
        `expects ${expected} channels, the input of shape ${formatShape(input)} has ${channels}`,
        `Its kernel has shape ${formatShape(this.kernel.shape)}; give it the input it was built for.`,
      );
    }
    const { strides, padding, dilations } = this.options;
    const [kh, kw] = this.kernelSize;
    const oh = windowCount(h, kh, strides[0], padding, dilations[0]);
    const ow = windowCount(w, kw, strides[1], padding, dilations[1]);
    if ((oh !== null && oh < 1) || (ow !== null && ow < 1)) {
      this.fail(
        'layer/shape',
        `its ${kh}x${kw} kernel does not fit into an input of shape ${formatShape(input)}`,
        'Use larger pictures.',
      );
    }
    return [n, oh, ow, this.filters];
  }

  override flops(inputs: readonly Shape[]): number {
    const [n, oh, ow, co] = this.outputShape(this.singleShape(inputs, 4));
    const [kh, kw, ci] = this.kernel.shape;
    return 2 * (n ?? 1) * (oh ?? NaN) * (ow ?? NaN) * (co ?? NaN) * (kh ?? NaN) * (kw ?? NaN) * (ci ?? NaN);
  }

  override takesIn(context: CallContext): TakesIn {
    const linear = this.activation === 'linear';
    const isTrained = this.weights.some((weight) => context.trains(weight));
    return {
      fold: linear && !isTrained,
      residual: linear,
      relu: linear,
      slot: linear || this.activation === 'relu',
    };
  }

  linear(
    x: Tensor,
    context: CallContext,
    { fold, relu = false, residual, slot, dtype }: LinearOptions,
  ): Tensor {
    const { tape } = context;
    // What a validation derived from weights that are being trained is of no use after the next step.
    if (context.trains(this.kernel)) this.releaseCaches();
    const options = { ...this.options, relu, residual, slot, dtype };
    if (fold === undefined) {
      const kernel = context.weight(this.kernel);
      const constant = context.trains(this.kernel) ? null : this.#constant.of(kernel, [this.kernel]);
      return conv2d(x, kernel, context.weight(this.#bias), options, tape, constant);
    }
    const from = this.#foldedFrom(fold);
    const { kernel, bias } = this.#fold(fold, from, x.dtype, context);
    return conv2d(x, kernel, bias, options, tape, this.#constant.of(kernel, from));
  }

  /** The weights that a fold depends on: the same array each time, since it is asked for in every call. */
  #foldedFrom(map: Foldable): readonly Variable[] {
    if (this.#sources?.map !== map) {
      const bias = this.#bias === null ? [] : [this.#bias];
      this.#sources = { map, from: [this.kernel, ...bias, ...map.weights] };
    }
    return this.#sources.from;
  }

  override releaseCaches(): void {
    this.#folded.dispose();
    this.#constant.dispose();
  }

  #fold(
    map: Foldable,
    from: readonly Variable[],
    dtype: DType,
    context: CallContext,
  ): { kernel: Tensor; bias: Tensor } {
    return this.#folded.get(context.gpu, from, dtype, () =>
      map.foldInto(context.weight(this.kernel), context.weight(this.#bias), dtype, context),
    );
  }
}
