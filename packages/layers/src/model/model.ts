import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import type { ActivationName } from '../layers/activate.ts';
import type { CallContext } from '../layers/context.ts';
import { InputLayer } from '../layers/input-layer.ts';
import { Layer, SymbolicTensor, type LayerConfig } from '../layers/layer.ts';
import { Operation } from '../layers/operations/index.ts';
import type { Variable } from '../layers/variable.ts';
import type { ArrayInput, Batch, Dataset, HostArray } from '../tensor/host-array.ts';
import { formatShape, shapeMatches, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { compile, type Compiled, type CompileConfig } from '../training/compiled.ts';
import type { Inputs } from '../training/data.ts';
import { evaluate, type EvaluateArraysConfig, type EvaluateConfig } from '../training/evaluate.ts';
import { fit, trainOnBatch, type FitArraysConfig, type FitConfig, type History } from '../training/fit.ts';
import type { Network } from '../training/network.ts';
import type { Precision } from '../training/precision.ts';
import {
  predict,
  predictBatches,
  predictOnBatch,
  type PredictArrayConfig,
  type PredictConfig,
  type PredictedBatch,
} from '../training/predict.ts';
import { execute } from './execute.ts';
import { unfreezeFrom, unfreezeLast } from './freezing.ts';
import { buildGraph, checkNames, shapesWithin, type Graph } from './graph.ts';
import { summarize, type SummaryOptions } from './summary.ts';

/**
 * As in Keras, `trainable: false` here freezes the model as a whole and leaves the flags of its layers as they are;
 * setting `model.trainable` later sets theirs too.
 */
export interface ModelConfig extends LayerConfig {
  readonly inputs: SymbolicTensor | readonly SymbolicTensor[];
  readonly outputs: SymbolicTensor | readonly SymbolicTensor[];
}

/**
 * A model: the layers between symbolic inputs and outputs. A model is a layer itself, so it can be applied within
 * another one; layers and weights are shared, never copied.
 */
export class Model extends Layer implements Network {
  /** Set it from a callback to end `fit` after the current batch or epoch; validation is still done. */
  stopTraining = false;
  /**
   * What activations, their gradients and the copies of weights that kernels read are stored as: float32 numbers, or
   * float16 ones in mixed precision. Sums are float32 either way, and so are weights, statistics, loss and outputs. That
   * of a model inside another one does not count.
   */
  precision: Precision = 'float32';
  #graph: Graph;
  #layers: readonly Layer[] = [];
  #gpu: Gpu | null = null;
  #compiled: Compiled | null = null;

  constructor(config: ModelConfig, className = 'Functional') {
    super(className, config);
    this.#graph = this.#build(list(config.inputs), list(config.outputs));
    if (this.#graph.outputs.length > 0) this.ensureBuilt([]);
  }

  /** The calls the model consists of. */
  get graph(): Graph {
    return this.#graph;
  }

  /** For models that grow. */
  protected rebuild(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): void {
    this.#graph = this.#build(inputs, outputs);
    this.ensureBuilt([]);
  }

  /** What has to hold for the layers of a model. */
  protected checkLayers(layers: readonly Layer[]): void {
    checkNames(layers);
  }

  get inputs(): readonly SymbolicTensor[] {
    return this.graph.inputs;
  }

  get outputs(): readonly SymbolicTensor[] {
    return this.graph.outputs;
  }

  override get output(): SymbolicTensor {
    return this.outputs[0] ?? this.fail('model/empty', 'has no output yet');
  }

  override get input(): SymbolicTensor {
    return this.inputs[0] ?? this.fail('model/empty', 'has no input yet');
  }

  /** The layers in Keras' order, without the operations between them. */
  get layers(): readonly Layer[] {
    return this.#layers;
  }

  override get sublayers(): readonly Layer[] {
    return this.layers;
  }

  /** The layer of this name. Throws `model/layer` and names the nearest ones. */
  getLayer(name: string): Layer {
    const found = this.layers.find((layer) => layer.name === name);
    if (found !== undefined) return found;
    const similar = this.layers
      .map((layer) => layer.name)
      .filter((other) => other.includes(name) || name.includes(other));
    const shown = similar.length > 0 ? similar : this.layers.map((layer) => layer.name);
    throw new ConvbaseError('model/layer', `there is no layer called ${name}`, {
      where: this.name,
      fix: `There is ${shown.slice(0, 12).join(', ')}${shown.length > 12 ? ', ..' : ''}.`,
    });
  }

  /**
   * Freezes the layers before the one of this name, in the order of `layers`, and thaws it, those behind it and the
   * model itself. Where the name is that of a layer in a nested model, this happens to that model; the layers outside
   * stay as they are. What training changes follows at once. Throws `model/layer` as `getLayer`.
   */
  unfreezeFrom(name: string): this {
    unfreezeFrom(this, name);
    return this;
  }

  /** Thaws the last `count` layers and the model itself, and freezes the others: Keras' `layers[:-count]` frozen. */
  unfreezeLast(count: number): this {
    unfreezeLast(this, count);
    return this;
  }

  /** The weight of this path, as `block1_conv1/kernel`; inside a nested model `vgg16/block1_conv1/kernel` works too. */
  getWeight(path: string): Variable {
    const found = this.weights.filter((weight) => weight.path === path);
    const [only, ...more] = found.length > 0 ? found : this.#nestedWeights(path);
    if (only !== undefined && more.length === 0) return only;
    throw new ConvbaseError(
      'model/weight',
      `${only === undefined ? 'no weight is' : 'several weights are'} called ${path}`,
      {
        where: this.name,
      },
    );
  }

  outputShapes(inputs: readonly Shape[]): readonly Shape[] {
    this.#checkInputs(inputs);
    const shapes = shapesWithin(this.graph, inputs);
    return this.outputs.map((symbolic) => shapes.get(symbolic) ?? symbolic.shape);
  }

  override flops(inputs: readonly Shape[] = this.inputs.map(({ shape }) => shape)): number {
    this.#checkInputs(inputs);
    const shapes = shapesWithin(this.graph, inputs);
    return this.graph.nodes.reduce((sum, { layer, inputs: values }) => {
      if (values.length === 0) return sum;
      return sum + layer.flops(values.map((value) => shapes.get(value) ?? value.shape));
    }, 0);
  }

  call(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    this.#checkInputs(inputs.map((value) => value.shape));
    return execute(this.graph, inputs, context);
  }

  override get outputActivation(): ActivationName {
    return this.#lastLayer()?.outputActivation ?? 'linear';
  }

  /** The only output without the activation that ends it; float32 in mixed precision too, if a layer with weights makes it. */
  override logits(inputs: readonly Tensor[], context: CallContext): Tensor {
    this.#checkInputs(inputs.map((value) => value.shape));
    const last = this.#lastLayer();
    const [output] = execute(this.graph, inputs, context, (layer, values) => {
      const logits = layer === last ? layer.logits(values, context) : null;
      return logits === null ? undefined : [logits];
    });
    return output ?? this.fail('model/empty', 'has no output yet');
  }

  /** The table of layers as Keras 3 prints it. */
  summary(options: SummaryOptions = {}): string {
    return summarize(
      {
        name: this.name,
        layers: this.connections === null ? this.layers : this.graph.layers,
        connections: this.connections,
        trainableWeights: this.trainableWeights,
        nonTrainableWeights: this.nonTrainableWeights,
        optimizerParams: this.#compiled?.optimizer.countParams() ?? null,
      },
      options,
    );
  }

  /** What the summary's last column is made from; null for a stack of layers. */
  protected get connections(): Graph | null {
    return this.graph;
  }

  /**
   * Sets the GPU on which the model runs. Weights are uploaded when they are first needed; one that has no place there
   * is `memory/too-large` at once.
   */
  to(gpu: Gpu): this {
    for (const weight of this.weights) weight.checkRoom(gpu);
    this.#gpu = gpu;
    return this;
  }

  get gpu(): Gpu {
    return (
      this.#gpu ??
      this.fail('model/no-gpu', 'has no GPU to run on', 'Call `model.to(await openGpu())` first.')
    );
  }

  /** Moves the weights back to main memory and frees everything the model holds on its GPU. */
  async toHost(): Promise<void> {
    for (const weight of this.weights) await weight.toHost();
    this.release();
  }

  /** Frees everything the model holds on its GPU; trained weights that were not read are lost. */
  dispose(): void {
    for (const weight of this.weights) weight.dispose();
    this.release();
  }

  /** Frees what the model holds on its GPU besides its weights. */
  protected release(): void {
    this.releaseCaches();
    this.#compiled?.optimizer.dispose();
    this.#gpu = null;
  }

  /** Says how to train: `model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })`. */
  compile(config: CompileConfig): void {
    this.#compiled?.optimizer.dispose();
    this.#compiled = compile(config);
  }

  get compiled(): Compiled {
    return (
      this.#compiled ??
      this.fail(
        'model/not-compiled',
        'does not know its loss yet',
        'Call `model.compile({ optimizer, loss })` first.',
      )
    );
  }

  /** Trains for some epochs, on a dataset or on arrays and their labels; see `FitConfig` and `FitArraysConfig`. */
  fit(dataset: Dataset, config?: FitConfig): Promise<History>;
  fit(x: Inputs, y: ArrayInput, config?: FitArraysConfig): Promise<History>;
  fit(data: Dataset | Inputs, second?: ArrayInput | FitConfig, config?: FitArraysConfig): Promise<History> {
    return fit(this, data, second, config);
  }

  /** Loss and metrics over a dataset, or over arrays and their labels, in inference mode. */
  evaluate(dataset: Dataset, config?: EvaluateConfig): Promise<Record<string, number>>;
  evaluate(x: Inputs, y: ArrayInput, config?: EvaluateArraysConfig): Promise<Record<string, number>>;
  evaluate(
    data: Dataset | Inputs,
    second?: ArrayInput | EvaluateConfig,
    config?: EvaluateArraysConfig,
  ): Promise<Record<string, number>> {
    return evaluate(this, data, second, config);
  }

  /** The outputs for all batches of a dataset, or for the model's inputs, joined. The model must have one output. */
  predict(data: Dataset | Inputs, config: PredictArrayConfig = {}): Promise<HostArray> {
    return predict(this, data, config);
  }

  /** The outputs (all of them, for a model with several) batch by batch, with the batch they belong to. */
  predictBatches(dataset: Dataset, config: PredictConfig = {}): AsyncGenerator<PredictedBatch> {
    return predictBatches(this, dataset, config);
  }

  /** The outputs for one array, or for one array for each input. */
  predictOnBatch(x: Batch['x']): Promise<readonly HostArray[]> {
    return predictOnBatch(this, x);
  }

  /** One training step; loss and metrics of the batch before the update. */
  trainOnBatch(batch: Batch): Promise<Record<string, number>> {
    return trainOnBatch(this, batch);
  }

  #build(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): Graph {
    const graph = buildGraph(inputs, outputs);
    this.checkLayers(graph.layers);
    this.#layers = graph.layers.filter((layer) => !(layer instanceof Operation));
    return graph;
  }

  #lastLayer(): Layer | undefined {
    const [output, ...more] = this.outputs;
    if (output === undefined || more.length > 0) return undefined;
    const usedInside = this.graph.nodes.some((node) => node.inputs.includes(output));
    const calls = this.graph.nodes.filter((node) => node.layer === output.layer).length;
    return usedInside || calls > 1 || output.layer instanceof InputLayer ? undefined : output.layer;
  }

  #checkInputs(shapes: readonly Shape[]): void {
    if (shapes.length !== this.inputs.length) {
      this.fail('model/input', `takes ${this.inputs.length} inputs, not ${shapes.length}`);
    }
    this.inputs.forEach((symbolic, index) => {
      const shape = shapes[index] ?? [];
      if (shapeMatches(shape, symbolic.shape)) return;
      this.fail(
        'model/input',
        `its input ${symbolic.layer.name} has shape ${formatShape(symbolic.shape)}, the data ${formatShape(shape)}`,
        'Resize the pictures to the size the model was made for, or make the model for their size.',
      );
    });
  }

  #nestedWeights(path: string): readonly Variable[] {
    const slash = path.indexOf('/');
    const layer = this.layers.find((candidate) => candidate.name === path.slice(0, slash));
    if (layer instanceof Model) return [layer.getWeight(path.slice(slash + 1))];
    return [];
  }
}

function list(value: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  return value instanceof SymbolicTensor ? [value] : value;
}
