import { ActivatedLayer } from '../layers/activated.ts';
import { BatchNormalization } from '../layers/batch-normalization.ts';
import type { CallContext } from '../layers/context.ts';
import type { Layer, SymbolicTensor } from '../layers/layer.ts';
import { identity } from '../ops/reshape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from './graph.ts';
import { planSteps, type Step } from './steps.ts';

/** Computes a layer in a way of its own; undefined leaves it to the usual one. */
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
  const steps = planSteps(graph, context);
  const borrowed = new Map<SymbolicTensor, Tensor>();
  graph.inputs.forEach((symbolic, index) => {
    const value = inputs[index];
    if (value !== undefined) borrowed.set(symbolic, value);
  });
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

  try {
    for (const step of steps) {
      const values = step.inputs.map(valueOf);
      const outputs = context.gpu.label(
        step.layer.name,
        () => override(step.layer, values) ?? compute(step, values, context),
      );
      step.outputs.forEach((symbolic, index) => {
        const value = outputs[index];
        if (value === undefined) return;
        if (uses.has(symbolic)) owned.set(symbolic, value);
        else value.dispose();
      });
      step.inputs.forEach(release);
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

function compute(
  { layer, epilogue }: Step,
  inputs: readonly Tensor[],
  context: CallContext,
): readonly Tensor[] {
  const [x] = inputs;
  if (x !== undefined && (epilogue.relu === true || epilogue.batchNorm !== undefined)) {
    if (layer instanceof BatchNormalization) return [layer.normalize(x, context, true)];
    if (layer instanceof ActivatedLayer) return [layer.linear(x, context, epilogue)];
  }
  return layer.call(inputs, context);
}

function countUses(steps: readonly Step[], graph: Graph): Map<SymbolicTensor, number> {
  const uses = new Map<SymbolicTensor, number>();
  const note = (symbolic: SymbolicTensor): void => {
    uses.set(symbolic, (uses.get(symbolic) ?? 0) + 1);
  };
  for (const step of steps) step.inputs.forEach(note);
  graph.outputs.forEach(note);
  return uses;
}
