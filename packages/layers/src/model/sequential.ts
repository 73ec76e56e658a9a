import { InputLayer } from '../layers/input-layer.ts';
import type { Layer, LayerConfig, SymbolicTensor } from '../layers/layer.ts';
import { defaultNames, type NameScope } from '../layers/names.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import { Model } from './model.ts';

export interface SequentialConfig extends LayerConfig {
  readonly layers?: readonly (Layer | SymbolicTensor)[];
  /** The shape of one sample, without the batch, if the first layer is neither an `InputLayer` nor a model. */
  readonly inputShape?: Shape;
}

/** A stack of layers, each fed by the one before it. */
export class Sequential extends Model {
  readonly #names: NameScope;
  readonly #stack: Layer[] = [];
  #input: SymbolicTensor | null = null;
  #tail: SymbolicTensor | null = null;

  constructor(config: SequentialConfig = {}) {
    super({ ...config, inputs: [], outputs: [] }, 'Sequential');
    this.#names = config.names ?? defaultNames;
    if (config.inputShape !== undefined) this.#start(config.inputShape);
    for (const layer of config.layers ?? []) this.#push(layer);
    this.#finish();
  }

  /** Puts a layer on top of the stack. */
  add(layer: Layer | SymbolicTensor): void {
    this.#push(layer);
    this.#finish();
  }

  #push(layerOrInput: Layer | SymbolicTensor): void {
    const layer = 'node' in layerOrInput ? layerOrInput.layer : layerOrInput;
    if (layer instanceof InputLayer) {
      if (this.#input !== null) this.fail('model/input', 'has an input already');
      this.#input = this.#tail = layer.symbolic;
      return;
    }
    if (this.#stack.some((other) => other.name === layer.name)) {
      this.fail(
        'model/names',
        `has a layer called ${layer.name} already`,
        'Give every layer a name of its own.',
      );
    }
    const known = layer instanceof Model ? layer.inputs[0]?.shape : undefined;
    if (this.#input === null && known !== undefined) this.#start(known.slice(1));
    this.#stack.push(layer);
    if (this.#tail !== null) this.#tail = layer.apply(this.#tail);
  }

  /** Fixes the shape of one sample for a stack without an input. */
  buildFor(inputShape: Shape): void {
    if (this.#input !== null) this.fail('model/input', 'has an input already');
    let tail = this.#start(inputShape);
    for (const layer of this.#stack) tail = layer.apply(tail);
    this.#tail = tail;
    this.#connect();
  }

  /** The layers added, without the input. */
  override get layers(): readonly Layer[] {
    return this.#stack;
  }

  protected override get connections(): Graph | null {
    return null;
  }

  #start(inputShape: Shape): SymbolicTensor {
    const { symbolic } = new InputLayer({ shape: inputShape, names: this.#names });
    this.#input = this.#tail = symbolic;
    return symbolic;
  }

  #finish(): void {
    this.#connect();
    // Keras builds a functional model inside, which uses up an automatic name.
    if (this.#tail !== null && this.#stack.length > 0) this.#names.unique('Functional');
  }

  #connect(): void {
    if (this.#input !== null && this.#tail !== null) this.rebuild([this.#input], [this.#tail]);
  }
}
