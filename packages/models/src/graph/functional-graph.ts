import { ConvbaseError } from '@convbase/base';
import { InputLayer, type Dimension, type Layer, type SymbolicTensor } from '@convbase/layers';
import { isOperation, layerName, type KerasLayerConfig } from '../formats/index.ts';
import type { CallBudget } from './call-budget.ts';
import { inboundCalls, type TensorReference } from './inbound.ts';
import { inputShape } from './input-shape.ts';
import { readOperation, type ReadOperation } from './operations.ts';

/** Makes a layer, or a nested model, of its config. */
export type Build = (layer: KerasLayerConfig) => Layer;

/** The classes of models whose layers are called by name. */
export const functionalClasses = new Set(['Functional', 'Model']);

/** Calls layers in the order in which their inputs become known, starting from whatever output is asked for. */
export class FunctionalGraph {
  readonly #model: string;
  readonly #configs = new Map<string, KerasLayerConfig>();
  readonly #calls = new Map<string, readonly (readonly TensorReference[])[]>();
  /** Nested models whose calls count from 1. */
  readonly #fromOne = new Set<string>();
  /** How to make what is no layer but an operation between some. */
  readonly #operations = new Map<string, ReadOperation>();
  readonly #layers = new Map<string, Layer>();
  readonly #outputs = new Map<string, readonly SymbolicTensor[]>();
  readonly #inputShape: readonly Dimension[] | undefined;
  readonly #build: Build;
  readonly #budget: CallBudget;

  constructor(
    model: string,
    layers: readonly KerasLayerConfig[],
    shape: readonly Dimension[] | undefined,
    build: Build,
    budget: CallBudget,
  ) {
    this.#model = model;
    this.#inputShape = shape;
    this.#build = build;
    this.#budget = budget;
    for (const layer of layers) {
      const name = layerName(layer);
      if (name === undefined || this.#configs.has(name)) {
        throw new ConvbaseError(
          'graph/duplicate',
          `it has ${name === undefined ? 'a layer without a name' : `two layers called ${name}`}`,
          {
            where: model,
            fix: 'Give every layer a name of its own.',
          },
        );
      }
      this.#configs.set(name, layer);
      if (isOperation(layer)) {
        const operation = readOperation(layer, name, model);
        this.#calls.set(name, [operation.inputs]);
        this.#operations.set(name, operation);
      } else this.#calls.set(name, inboundCalls(layer, `${model}, layer ${name}`));
    }
    this.#countNestedCalls();
  }

  /** Keras 2 counts the making of a nested model as its first call, so that its last is as many as there are calls. */
  #countNestedCalls(): void {
    for (const { layer, node } of [...this.#calls.values()].flat(2)) {
      if (this.#isModel(layer) && node > 0 && node === this.#calls.get(layer)?.length)
        this.#fromOne.add(layer);
    }
    for (const [name, calls] of this.#calls) {
      const counted = calls.map((inputs) => {
        return inputs.map((input) => (this.#fromOne.has(input.layer) ? before(input) : input));
      });
      this.#calls.set(name, counted);
    }
  }

  /** What a model's output refers to; there Keras 3, too, counts the calls of a functional model from 1. */
  endOf(end: TensorReference): TensorReference {
    if (end.node === 0 || !this.#isModel(end.layer)) return end;
    const isLast = end.node === this.#calls.get(end.layer)?.length;
    const isFunctional = functionalClasses.has(this.#configs.get(end.layer)?.class_name ?? '');
    return isFunctional || isLast || this.#fromOne.has(end.layer) ? before(end) : end;
  }

  #isModel(layer: string): boolean {
    return Array.isArray(this.#configs.get(layer)?.config['layers']);
  }

  /** The tensor meant by a reference; everything it depends on is called first. */
  tensor(reference: TensorReference): SymbolicTensor {
    // An explicit stack: a file may describe a chain longer than the call stack is deep.
    const stack = [reference];
    const open = new Set<string>();
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const key = keyOf(top);
      const inputs = this.#outputs.has(key) ? [] : this.#inputsOf(top);
      const waiting = inputs.filter((input) => !this.#outputs.has(keyOf(input)));
      if (waiting.length > 0 && open.has(key))
        throw this.#error('graph/cycle', `the layer ${top.layer} depends on itself`);
      if (waiting.length > 0) {
        open.add(key);
        stack.push(...waiting);
        continue;
      }
      if (!this.#outputs.has(key)) this.#outputs.set(key, this.#call(top.layer, inputs));
      stack.pop();
    }
    return this.#find(reference);
  }

  /** What a call takes. */
  #inputsOf({ layer, node }: TensorReference): readonly TensorReference[] {
    const calls = this.#calls.get(layer);
    if (calls === undefined) throw missing(layer, this.#model, [...this.#configs.values()]);
    if (calls.length === 0 && node === 0) return [];
    const inputs = calls[node];
    if (inputs === undefined) throw this.#error('graph/missing', `the layer ${layer} has no call ${node}`);
    return inputs;
  }

  #call(name: string, inputs: readonly TensorReference[]): readonly SymbolicTensor[] {
    const config = this.#configs.get(name);
    if (config === undefined) throw missing(name, this.#model, [...this.#configs.values()]);
    if (config.class_name === 'InputLayer') {
      const shape = this.#inputShape ?? inputShape(config, this.#model);
      if (shape === undefined) throw this.#error('graph/input', `the input ${name} has no shape`);
      return [new InputLayer({ shape, name }).symbolic];
    }
    if (inputs.length === 0) throw this.#error('graph/input', `the layer ${name} is never called`);
    let layer = this.#layers.get(name);
    if (layer === undefined) {
      layer = this.#operations.get(name)?.make() ?? this.#build(config);
      this.#layers.set(name, layer);
    }
    this.#budget.spend(layer, this.#model);
    return layer.applyAll(inputs.map((input) => this.#find(input)));
  }

  #find(reference: TensorReference): SymbolicTensor {
    const found = this.#outputs.get(keyOf(reference))?.[reference.tensor];
    if (found !== undefined) return found;
    throw this.#error('graph/missing', `the layer ${reference.layer} has no output ${reference.tensor}`);
  }

  #error(code: string, what: string): ConvbaseError {
    return new ConvbaseError(code, what, {
      where: this.#model,
      fix: 'The config is damaged: save the model again.',
    });
  }
}

const before = (reference: TensorReference): TensorReference => ({ ...reference, node: reference.node - 1 });

const keyOf = ({ layer, node }: TensorReference): string => `${node} ${layer}`;

/** A layer that is named but not there. */
export function missing(layer: string, model: string, layers: readonly KerasLayerConfig[]): ConvbaseError {
  const names = layers.map((config) => layerName(config) ?? '?');
  return new ConvbaseError('graph/missing', `it has no layer ${layer}`, {
    where: model,
    fix: `Its last layers are ${names.slice(-8).join(', ')}.`,
  });
}
