import { InputLayer } from '../layers/input-layer.ts';
import { Node, type Layer, type SymbolicTensor } from '../layers/layer.ts';
import type { Variable } from '../layers/variable.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import { Model } from './model.ts';

/** A model in two parts, the first of which training leaves alone. */
export interface FrozenSplit {
  /** From the model's inputs to what the suffix takes: for the same pictures always the same. */
  readonly prefix: Model;
  /** From the prefix' outputs (often one, several where branches are cut) to the model's. Compile and train it. */
  readonly suffix: Model;
  /** How many layers the prefix has, inputs not counted. */
  readonly layers: number;
  /** What computing the prefix costs for one sample (see `Layer.flops`); NaN where the input's size is open. */
  readonly flops: number;
}

/**
 * Parts a model in what training can neither change nor find changed, and the rest.
 *
 * In the prefix is every call that depends on no weight being trained, on no chance and on no batch statistics:
 * frozen layers, and layers without weights between them, but neither Dropout nor anything behind it. Nested models are
 * taken apart. Layers and weights are shared with the model, which stays as it is; training the suffix on the prefix'
 * outputs is training the model. `dispose()` of a part leaves the weights to the model.
 *
 * A split holds for what is frozen now. Null when no frozen weights are in front, or nothing is to be trained.
 */
export function splitFrozen(model: Model): FrozenSplit | null {
  const inputs = model.inputs.map(({ shape }): Value => ({ shape, fixed: true }));
  const all: Call[] = [];
  const outputs = flatten(model.graph, inputs, all);
  const calls = needed(all, outputs);
  const trained = new Set(model.trainableWeights);
  const prefixCalls = calls.filter((call) => isFixed(call, trained));
  const suffixCalls = calls.filter((call) => !prefixCalls.includes(call));
  if (trained.size === 0 || !prefixCalls.some(({ layer }) => layer.weights.length > 0)) return null;

  const frontier = new Set(
    [...suffixCalls.flatMap((call) => call.inputs), ...outputs].filter(({ fixed }) => fixed),
  );
  const front = new Map(inputs.map((value, index) => [value, model.inputs[index] ?? fresh(value, index)]));
  callAll(prefixCalls, front);
  const back = new Map([...frontier].map((value, index) => [value, fresh(value, index)]));
  callAll(suffixCalls, back);

  const prefix = new Part({
    inputs: model.inputs,
    outputs: [...frontier].map((value) => symbolic(front, value)),
    name: `${model.name}_prefix`,
  });
  const suffix = new Part({
    inputs: [...back.keys()].filter((value) => frontier.has(value)).map((value) => symbolic(back, value)),
    outputs: outputs.map((value) => symbolic(back, value)),
    name: `${model.name}_suffix`,
  });
  prefix.precision = suffix.precision = model.precision;
  const layers = new Set(prefixCalls.map(({ layer }) => layer)).size;
  return { prefix, suffix, layers, flops: prefix.flops() };
}

/** A model over another's layers: nested ones may have brought equal names together, and the weights are not its own. */
class Part extends Model {
  protected override checkLayers(): void {
    // Layers are told apart by identity here.
  }

  override dispose(): void {
    this.release();
  }
}

/** What a call takes or makes. */
interface Value {
  readonly shape: Shape;
  /** Whether training finds it always the same. */
  fixed: boolean;
}

/** One call of a layer that is not a model. */
interface Call {
  readonly layer: Layer;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** Appends a graph's calls in order, those of nested models in place of these, and returns its outputs. */
function flatten(graph: Graph, inputs: readonly Value[], calls: Call[]): readonly Value[] {
  const values = new Map<SymbolicTensor, Value>();
  graph.inputs.forEach((input, index) => {
    const value = inputs[index];
    if (value !== undefined) values.set(input, value);
  });
  for (const { layer, inputs: taken, outputs: made } of graph.nodes) {
    if (taken.length === 0) continue;
    const from = taken.map((input) => symbolic(values, input));
    const to = layer instanceof Model ? flatten(layer.graph, from, calls) : call(layer, from, calls);
    made.forEach((output, index) => {
      const value = to[index];
      if (value !== undefined && !values.has(output)) values.set(output, value);
    });
  }
  return graph.outputs.map((output) => symbolic(values, output));
}

function call(layer: Layer, inputs: readonly Value[], calls: Call[]): readonly Value[] {
  const shapes = layer.outputShapes(inputs.map(({ shape }) => shape));
  const outputs = shapes.map((shape): Value => ({ shape, fixed: false }));
  calls.push({ layer, inputs, outputs });
  return outputs;
}

/** The calls that the outputs depend on. */
function needed(calls: readonly Call[], outputs: readonly Value[]): readonly Call[] {
  const wanted = new Set(outputs);
  const kept = calls.toReversed().filter((call) => {
    const used = call.outputs.some((value) => wanted.has(value));
    if (used) for (const value of call.inputs) wanted.add(value);
    return used;
  });
  return kept.reverse();
}

/** Whether a call always makes the same of the same pictures; notes it on its outputs. To be asked in order. */
function isFixed({ layer, inputs, outputs }: Call, trained: ReadonlySet<Variable>): boolean {
  const fixed =
    inputs.every((value) => value.fixed) &&
    !layer.stochastic &&
    !layer.usesBatch &&
    !layer.weights.some((weight) => trained.has(weight));
  for (const value of outputs) value.fixed = fixed;
  return fixed;
}

/** Calls layers anew from the values that are there, without a trace on them, and adds what comes out. */
function callAll(calls: readonly Call[], values: Map<Value, SymbolicTensor>): void {
  for (const { layer, inputs, outputs } of calls) {
    const taken = inputs.map((value) => symbolic(values, value));
    const node = new Node(
      layer,
      taken,
      outputs.map(({ shape }) => shape),
      false,
    );
    outputs.forEach((value, index) => {
      const made = node.outputs[index];
      if (made !== undefined) values.set(value, made);
    });
  }
}

function fresh({ shape }: Value, index: number): SymbolicTensor {
  return new InputLayer({ shape: shape.slice(1), name: `frozen_${index}` }).symbolic;
}

function symbolic<K, V>(values: ReadonlyMap<K, V>, key: K): V {
  const value = values.get(key);
  if (value === undefined) throw new Error('a call takes what no call before it makes');
  return value;
}
