import { ConvbaseError } from '@convbase/base';
import type { Variable } from '../layers/variable.ts';
import { formatShape } from '../tensor/shape.ts';
import type { StateTensor } from './callbacks.ts';
import type { Network } from './network.ts';

const prefix = 'weights/';

/** The weights that training has changed or may change, as `weights/<path>`. */
export async function readTrainedWeights(network: Network): Promise<Record<string, StateTensor>> {
  const trainable = new Set(network.trainableWeights);
  const tensors: Record<string, StateTensor> = {};
  for (const [path, variable] of variablesByPath(network)) {
    if (!trainable.has(variable) && !variable.trained) continue;
    tensors[prefix + path] = { shape: variable.shape, data: await variable.read() };
  }
  return tensors;
}

/**
 * Puts weights from `readTrainedWeights` back. Throws `state/mismatch`, before any is changed, for those of another
 * model.
 */
export function writeTrainedWeights(network: Network, tensors: Readonly<Record<string, StateTensor>>): void {
  const variables = variablesByPath(network);
  const found = Object.entries(tensors).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [placeOf(network, variables, key.slice(prefix.length), value)] : [],
  );
  for (const { variable, data } of found) {
    variable.assign(data.slice());
    variable.changed();
  }
}

/** The weight for values under this path. Throws `state/mismatch` when there is none, or one of another shape. */
export function placeOf(
  network: Network,
  variables: ReadonlyMap<string, Variable>,
  path: string,
  { shape, data }: StateTensor,
): { readonly variable: Variable; readonly data: Float32Array } {
  const variable = variables.get(path) ?? mismatch(network, `the model has no weight ${path}`);
  const same = shape.length === variable.shape.length && shape.every((d, axis) => d === variable.shape[axis]);
  if (!same || data.length !== variable.size) {
    const shapes = `${formatShape(shape)}, in the model ${formatShape(variable.shape)}`;
    mismatch(network, `${path} has shape ${shapes}`);
  }
  return { variable, data };
}

/** Weights by their path; of several with one path (in different nested models) the later ones get a number. */
export function variablesByPath(network: Network): Map<string, Variable> {
  return byName(network.weights, (variable) => variable.path);
}

/** Things by name, those that share one numbered. */
export function byName<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T> {
  const named = new Map<string, T>();
  for (const item of items) {
    let name = nameOf(item);
    for (let count = 1; named.has(name); count++) name = `${nameOf(item)}#${count}`;
    named.set(name, item);
  }
  return named;
}

export function mismatch(network: Network, what: string): never {
  throw new ConvbaseError('state/mismatch', what, {
    where: network.name,
    fix: 'Use a state with the model and the optimizer that it was taken from.',
  });
}
