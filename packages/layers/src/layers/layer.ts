import { ConvbaseError } from '@convbase/base';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { activationFrom, type ActivationName } from './activate.ts';
import type { CallContext } from './context.ts';
import type { Epilogue, FollowsAs, TakesIn } from './fusion.ts';
import type { Initializer } from './initializers.ts';
import { defaultNames, type NameScope } from './names.ts';
import type { OptionOf } from './numbers.ts';
import { Variable } from './variable.ts';

export interface LayerConfig {
  /** Unique within a model; made from the class name when left out. */
  readonly name?: string;
  /** Whether training may change the weights; true when left out. */
  readonly trainable?: boolean;
  /** Where automatic names come from. */
  readonly names?: NameScope;
}

/** One output of one call of a layer in a symbolic graph. */
export class SymbolicTensor {
  readonly shape: Shape;
  readonly node: Node;
  /** Which of the call's outputs this is; 0 for all layers but models with several outputs. */
  readonly tensorIndex: number;

  constructor(shape: Shape, node: Node, tensorIndex: number) {
    this.shape = shape;
    this.node = node;
    this.tensorIndex = tensorIndex;
  }

  get layer(): Layer {
    return this.node.layer;
  }

  get nodeIndex(): number {
    return this.layer.nodes.indexOf(this.node);
  }
}

/**
 * One call of a layer in a symbolic graph. The layer lists it among its `nodes`; an unlisted call leaves no trace on
 * the layer, as graphs need that are only derived from another one.
 */
export class Node {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];

  constructor(layer: Layer, inputs: readonly SymbolicTensor[], shapes: readonly Shape[], listed = true) {
    this.layer = layer;
    this.inputs = inputs;
    this.outputs = shapes.map((shape, index) => new SymbolicTensor(shape, this, index));
    if (listed) layer.nodes.push(this);
  }
}

/**
 * A layer: weights and a function of tensors.
 *
 * A subclass makes its weights in `build` (called once, with the shapes of its first inputs), says in `outputShapes`
 * what comes out, and computes in `call`. A layer whose kernel can do other layers' work besides, or whose own work can be
 * done by the layer in front of it, says so in `takesIn` and `followsAs` (see `fusion.ts`).
 */
export abstract class Layer {
  /** The Keras class, `Conv2D`. */
  readonly className: string;
  readonly name: string;
  /** Every symbolic call so far. */
  readonly nodes: Node[] = [];
  /** Whether gradients can flow back through the layer. */
  readonly differentiable: boolean = true;
  /** Whether chance decides what the layer computes in training, so that no two calls are alike. */
  readonly stochastic: boolean = false;
  #built = false;
  #trainable: boolean;
  readonly #trainableVariables: Variable[] = [];
  readonly #fixedVariables: Variable[] = [];
  /** Both, for a layer that is asked for them in every step; null until then. */
  #own: readonly Variable[] | null = null;

  constructor(className: string, config: LayerConfig = {}) {
    this.className = className;
    this.name = config.name ?? (config.names ?? defaultNames).unique(className);
    this.#trainable = config.trainable ?? true;
  }

  /** The shapes that come out for the shapes that go in, batch first. Throws `layer/shape` for shapes it cannot take. */
  abstract outputShapes(inputs: readonly Shape[]): readonly Shape[];

  /** Computes the outputs. The inputs are borrowed; the caller owns the outputs. */
  abstract call(inputs: readonly Tensor[], context: CallContext): readonly Tensor[];

  /** What the layer's kernel can do in this call besides the layer. A layer that says anything has to override `fused`. */
  takesIn(_context: CallContext): TakesIn {
    return {};
  }

  /** As what the layer's work can be done by the one in front of it in this call; null where it cannot. */
  followsAs(_context: CallContext): FollowsAs | null {
    return null;
  }

  /** Computes the only output from the only input, with what was taken in. */
  fused(_x: Tensor, _context: CallContext, _epilogue: Epilogue): Tensor {
    this.fail('layer/fusion', 'says that it takes in other layers, but not how', 'Override `fused`.');
  }

  /** The activation that ends the only output, which losses can take over; `'linear'` when there is none to take. */
  get outputActivation(): ActivationName {
    return activationFrom(null, this.name);
  }

  /** The only output without `outputActivation`; null for a layer whose `call` computes just that. */
  logits(_inputs: readonly Tensor[], _context: CallContext): Tensor | null {
    return null;
  }

  /** Makes the weights; only the first call of a layer does. */
  protected build(_inputs: readonly Shape[]): void {
    // Most layers have no weights.
  }

  /** Whether training makes of a sample what depends on the others of its batch. */
  get usesBatch(): boolean {
    return this.sublayers.some((layer) => layer.usesBatch);
  }

  /** The layers inside, for models. */
  get sublayers(): readonly Layer[] {
    return [];
  }

  get built(): boolean {
    return this.#built;
  }

  /** Builds the layer for these input shapes unless it has been. */
  ensureBuilt(inputs: readonly Shape[]): void {
    if (this.#built) return;
    this.build(inputs);
    this.#built = true;
  }

  /** Adds a symbolic call. Returns its one output; `applyAll` is for layers with several. */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    const [output] = this.applyAll(inputs);
    if (output === undefined)
      throw new ConvbaseError('layer/outputs', 'the layer has no output', { where: this.name });
    return output;
  }

  /** Adds a symbolic call and returns all its outputs. */
  applyAll(inputs: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    const list = inputs instanceof SymbolicTensor ? [inputs] : inputs;
    const shapes = list.map((input) => input.shape);
    this.ensureBuilt(shapes);
    return new Node(this, list, this.outputShapes(shapes)).outputs;
  }

  /** The output of the layer's first symbolic call. */
  get output(): SymbolicTensor {
    return this.#firstNode('output').outputs[0] ?? this.fail('layer/outputs', 'the layer has no output');
  }

  /** The input of the layer's first symbolic call. */
  get input(): SymbolicTensor {
    return this.#firstNode('input').inputs[0] ?? this.fail('layer/inputs', 'the layer has no input');
  }

  get trainable(): boolean {
    return this.#trainable;
  }

  /** Freezes or thaws the layer and every layer inside it. */
  set trainable(value: boolean) {
    this.setOwnTrainable(value);
    for (const layer of this.sublayers) layer.trainable = value;
  }

  /** Freezes or thaws the layer itself, and leaves the layers inside it as they are. */
  setOwnTrainable(value: boolean): void {
    this.#trainable = value;
    for (const variable of this.#trainableVariables) variable.trainable = value;
  }

  /** All weights, in Keras' order: the trainable ones, the others, then those of the layers inside. */
  get weights(): readonly Variable[] {
    const { sublayers } = this;
    if (sublayers.length === 0) return (this.#own ??= [...this.#trainableVariables, ...this.#fixedVariables]);
    const inner = sublayers.flatMap((layer) => layer.weights);
    return [...new Set([...this.#trainableVariables, ...this.#fixedVariables, ...inner])];
  }

  get trainableWeights(): readonly Variable[] {
    return this.trainable ? this.weights.filter((variable) => variable.trainable) : [];
  }

  get nonTrainableWeights(): readonly Variable[] {
    return this.trainable ? this.weights.filter((variable) => !variable.trainable) : this.weights;
  }

  /** The number of scalars in all weights. */
  countParams(): number {
    return this.weights.reduce((sum, variable) => sum + variable.size, 0);
  }

  /**
   * Multiplications and additions of a forward pass, those of convolutions and dense layers only, which outweigh all
   * else. An open batch dimension counts as one sample; NaN where another dimension that matters is open.
   */
  flops(_inputs: readonly Shape[]): number {
    return 0;
  }

  /** Draws initial weights (and dropout masks) from this seed; weights that were assigned stay. */
  seed(value: number): void {
    for (const variable of [...this.#trainableVariables, ...this.#fixedVariables]) variable.reseed(value);
    for (const layer of this.sublayers) layer.seed(value);
  }

  /**
   * How far the layer's stream of random numbers has been used, for layers that draw some in training; null for the
   * others. Set to what it was before, the layer goes on with the same numbers.
   */
  get randomOffset(): number | null {
    return null;
  }

  set randomOffset(_value: number | null) {
    this.fail('layer/random', 'draws no random numbers');
  }

  /** Frees GPU memory kept between calls besides the weights themselves. */
  releaseCaches(): void {
    for (const layer of this.sublayers) layer.releaseCaches();
  }

  /** For `build`: a weight. `trained: false` is for state that gradients never change. */
  protected addWeight(
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    trained = true,
  ): Variable {
    const variable = new Variable(this.name, name, shape, initializer, trained && this.#trainable);
    (trained ? this.#trainableVariables : this.#fixedVariables).push(variable);
    this.#own = null;
    return variable;
  }

  /** What errors call the layer: `Dense dense_1`. */
  protected get place(): string {
    return `${this.className} ${this.name}`;
  }

  /** For constructors: what errors about an option's number name. */
  protected named(option: string): OptionOf {
    return { where: this.place, option };
  }

  /** Throws an error that names the layer. */
  protected fail(code: string, what: string, fix?: string): never {
    throw new ConvbaseError(code, what, {
      where: this.place,
      ...(fix === undefined ? {} : { fix }),
    });
  }

  /** The only input's shape, checked to have `rank` dimensions. */
  protected singleShape(inputs: readonly Shape[], rank?: number): Shape {
    const [shape, ...more] = inputs;
    if (shape === undefined || more.length > 0)
      this.fail('layer/inputs', `takes one input, not ${inputs.length}`);
    if (rank !== undefined && shape.length !== rank) {
      this.fail(
        'layer/shape',
        `needs an input of ${rank} dimensions${rank === 4 ? ' (batch, height, width, channels)' : ''}, not ${formatShape(shape)}`,
      );
    }
    return shape;
  }

  #firstNode(what: string): Node {
    return (
      this.nodes[0] ??
      this.fail('layer/not-called', `has no ${what} yet`, 'Apply it to a symbolic tensor first.')
    );
  }
}

/** A layer with one input and one output, which is nearly all of them. */
export abstract class UnaryLayer extends Layer {
  protected abstract outputShape(input: Shape): Shape;

  protected abstract forward(x: Tensor, context: CallContext): Tensor;

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    return [this.outputShape(this.singleShape(inputs))];
  }

  call(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    const [x] = inputs;
    if (x === undefined) this.fail('layer/inputs', 'takes one input, not none');
    return [this.forward(x, context)];
  }
}
