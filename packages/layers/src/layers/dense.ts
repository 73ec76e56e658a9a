import { dense } from '../ops/dense.ts';
import { regularizerFrom, type Regularizer, type RegularizerLike } from '../regularizers/index.ts';
import { dimensionAt, formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ActivatedLayer, type ActivatedConfig, type LinearOptions } from './activated.ts';
import { ConstantKernels } from './constant-kernels.ts';
import type { CallContext } from './context.ts';
import type { TakesIn } from './fusion.ts';
import { initializerFrom, type Initializer, type InitializerLike } from './initializers.ts';
import { wholeOption } from './numbers.ts';
import type { Variable } from './variable.ts';

export interface DenseConfig extends ActivatedConfig {
  readonly units: number;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerLike;
  readonly biasInitializer?: InitializerLike;
  /** What the size of the kernel adds to the loss: `l2(1e-4)`. */
  readonly kernelRegularizer?: RegularizerLike | null;
  readonly biasRegularizer?: RegularizerLike | null;
}

/** A fully connected layer over the last axis; all other axes are kept. */
export class Dense extends ActivatedLayer {
  readonly units: number;
  readonly useBias: boolean;
  readonly kernelRegularizer: Regularizer | null;
  readonly biasRegularizer: Regularizer | null;
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
  readonly #constant = new ConstantKernels();
  #kernel: Variable | null = null;
  #bias: Variable | null = null;

  constructor(config: DenseConfig) {
    super('Dense', config);
    this.units = wholeOption(config.units, this.named('units'));
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
    const features = this.#features(this.singleShape(inputs));
    if (features === null) {
      this.fail(
        'layer/shape',
        `cannot be built for an input of unknown size ${formatShape(this.singleShape(inputs))}`,
        'Give the model an input shape, or pool globally instead of flattening.',
      );
    }
    this.#kernel = this.addWeight('kernel', [features, this.units], this.kernelInitializer);
    if (this.useBias) this.#bias = this.addWeight('bias', [this.units], this.biasInitializer);
    this.#kernel.regularizer = this.kernelRegularizer;
    if (this.#bias !== null) this.#bias.regularizer = this.biasRegularizer;
  }

  protected outputShape(input: Shape): Shape {
    const features = this.#features(input);
    const expected = this.kernel.shape[0];
    if (features !== null && features !== expected) {
      this.fail(
        'layer/shape',
        `expects ${expected} features, the input of shape ${formatShape(input)} has ${features}`,
        `Its kernel has shape ${formatShape(this.kernel.shape)}; give it the input it was built for.`,
      );
    }
    return [...input.slice(0, -1), this.units];
  }

  override flops(inputs: readonly Shape[]): number {
    const output = this.outputShape(this.singleShape(inputs));
    const features = this.kernel.shape[0] ?? NaN;
    return (
      output.slice(1).reduce<number>((size, dimension) => size * (dimension ?? NaN), 2 * features) *
      (output[0] ?? 1)
    );
  }

  override takesIn(): TakesIn {
    return { relu: this.activation === 'linear' };
  }

  linear(x: Tensor, context: CallContext, { relu = false, dtype }: LinearOptions): Tensor {
    if (context.trains(this.kernel)) this.releaseCaches();
    const kernel = context.weight(this.kernel);
    const constant = context.trains(this.kernel) ? null : this.#constant.of(kernel, [this.kernel]);
    return dense(x, kernel, context.weight(this.#bias), { relu, dtype }, context.tape, constant);
  }

  override releaseCaches(): void {
    this.#constant.dispose();
  }

  #features(shape: Shape): number | null {
    if (shape.length < 2)
      this.fail('layer/shape', `needs at least two dimensions, not ${formatShape(shape)}`);
    return dimensionAt(shape, -1);
  }
}
