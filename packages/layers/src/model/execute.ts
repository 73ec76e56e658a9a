import type { Gpu } from '@convbase/core-gpu';
import type { CallContext } from '../layers/context.ts';
import type { Layer, SymbolicTensor } from '../layers/layer.ts';
import { writeChannels } from '../ops/concat.ts';
import { identity } from '../ops/reshape.ts';
import { Tensor, type DType } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';
import type { Place } from './joins.ts';
import { stepsOf, type Step } from './steps.ts';

/**
 * Computes a layer whose call makes an output of the graph in a way of its own; undefined leaves it to the usual one.
 * Such calls stand alone: nothing is taken into them, and they have no place in another tensor. Other calls of the same
 * layer are computed as usual.
 */
export type Override = (layer: Layer, inputs: readonly Tensor[]) => readonly Tensor[] | undefined;

/**
 * Records the computation of a graph's outputs from tensors for its inputs, which are borrowed. The caller owns the
 * outputs. Every intermediate is given back to the pool as soon as its last user has been recorded; what a gradient
 * needs is kept by the tape.
 */
export function execute(
  graph: Graph,
  inputs: readonly Tensor[],
  context: CallContext,
  override: Override = () => undefined,
): readonly Tensor[] {
  const borrowed = new Map<SymbolicTensor, Tensor>();
  graph.inputs.forEach((symbolic, index) => {
    const value = inputs[index];
    if (value !== undefined) borrowed.set(symbolic, value);
  });
  const isWatched = (input: SymbolicTensor): boolean => {
    const value = borrowed.get(input);
    return value !== undefined && context.tape?.watches(value) === true;
  };
  const steps = stepsOf(graph, context, isWatched);
  const uses = countUses(steps, graph);
  const owned = new Map<SymbolicTensor, Tensor>();

  const valueOf = (symbolic: SymbolicTensor): Tensor => {
    const value = owned.get(symbolic) ?? borrowed.get(symbolic);
    if (value === undefined) throw new Error(`no value for the output of ${symbolic.layer.name}`);
    return value;
  };
  const release = (symbolic: SymbolicTensor): void => {
    const left = (uses.get(symbolic) ?? 0) - 1;
    uses.set(symbolic, left);
    if (left > 0) return;
    owned.get(symbolic)?.dispose();
    owned.delete(symbolic);
  };

  /** A joined tensor, which lives from its first part on. */
  const joined = ({ of, channels }: Place, rest: readonly number[], dtype: DType): Tensor => {
    const known = owned.get(of);
    if (known !== undefined) return known;
    const made = Tensor.empty(context.gpu, [...rest, channels], 'concat', dtype);
    owned.set(of, made);
    return made;
  };
  const compute = (
    { layer, fold, residual, relu, place, parts }: Step,
    values: readonly Tensor[],
  ): readonly Tensor[] => {
    const [x] = values;
    if (parts !== undefined) {
      values.forEach((value, index) => {
        const part = parts[index];
        if (part === undefined) return;
        writeChannels(value, joined(part, value.shape.slice(0, -1), value.dtype), part.offset);
      });
      return [];
    }
    const isPlain = fold === undefined && residual === undefined && relu !== true && place === undefined;
    if (x === undefined || isPlain) return layer.call(values, context);
    const slot = place && {
      ...place,
      tensor: (_: Gpu, rest: readonly number[], dtype: DType) => joined(place, rest, dtype).share(),
    };
    return [layer.fused(x, context, { fold, residual: residual && valueOf(residual), relu, slot })];
  };

  const makesOutput = ({ layer, outputs }: Step): boolean =>
    outputs.some((symbolic) => symbolic.layer === layer && graph.outputs.includes(symbolic));

  try {
    for (const step of steps) {
      const values = step.inputs.map(valueOf);
      const outputs = context.gpu.label(
        step.layer.name,
        () => (makesOutput(step) ? override(step.layer, values) : undefined) ?? compute(step, values),
      );
      step.outputs.forEach((symbolic, index) => {
        const value = outputs[index];
        if (value === undefined) return;
        if (uses.has(symbolic)) owned.set(symbolic, value);
        else value.dispose();
      });
      if (step.place !== undefined) for (const value of outputs) value.dispose();
      step.inputs.forEach(release);
      if (step.residual !== undefined) release(step.residual);
    }
    return graph.outputs.map((symbolic) => {
      const value = owned.get(symbolic);
      // An output that is an input, or that is asked for twice, is handed out as a view of its own.
      if (value === undefined || uses.get(symbolic) !== 1) {
        const view = identity(valueOf(symbolic), context.tape);
        release(symbolic);
        return view;
      }
      owned.delete(symbolic);
      return value;
    });
  } finally {
    for (const value of owned.values()) value.dispose();
  }
}

function countUses(steps: readonly Step[], graph: Graph): Map<SymbolicTensor, number> {
  const uses = new Map<SymbolicTensor, number>();
  const note = (symbolic: SymbolicTensor): void => {
    uses.set(symbolic, (uses.get(symbolic) ?? 0) + 1);
  };
  for (const { inputs, residual } of steps) {
    inputs.forEach(note);
    if (residual !== undefined) note(residual);
  }
  graph.outputs.forEach(note);
  return uses;
}
