import { ConvbaseError } from '@convbase/base';
import type { Layer } from '../layers/layer.ts';
import type { Variable } from '../layers/variable.ts';
import { formatShape } from '../tensor/shape.ts';
import type { StateTensor } from './callbacks.ts';
import type { Network } from './network.ts';

/** Everything that a training step depends on besides its batch, as plain data. */
export interface TrainingState {
  /** `weights/<path>` and `optimizer/<slot>/<path>` */
  readonly tensors: Readonly<Record<string, StateTensor>>;
  /** `iterations`, `learningRate` unless a schedule decides it, `random/<layer>` */
  readonly numbers: Readonly<Record<string, number>>;
}

/**
 * What training has changed or may change: such weights, the optimizer's memory, and how far random streams are used.
 * Weights that were loaded and never trained are not in it; neither are seeds. Training is not disturbed by it.
 */
export async function exportTrainingState(network: Network): Promise<TrainingState> {
  const { optimizer } = network.compiled;
  const tensors: Record<string, StateTensor> = {};
  const trainable = new Set(network.trainableWeights);
  for (const [path, variable] of variablesByPath(network)) {
    const { shape } = variable;
    if (trainable.has(variable) || variable.trained) {
      tensors[`weights/${path}`] = { shape, data: await variable.read() };
    }
    for (const [slot, values] of Object.entries(optimizer.slotsOf(variable))) {
      tensors[`optimizer/${slot}/${path}`] = { shape, data: await values.data() };
    }
  }
  const numbers: Record<string, number> = { iterations: optimizer.iterations };
  if (optimizer.schedule === null) numbers['learningRate'] = optimizer.learningRate;
  for (const [name, layer] of randomLayers(network)) numbers[`random/${name}`] = layer.randomOffset ?? 0;
  return { tensors, numbers };
}

/**
 * Puts a model of the same build (layers, optimizer, seeds) into a state; the next step is then the one that would
 * have followed. Throws `state/mismatch`, before anything is changed, for the state of another model or optimizer.
 */
export function importTrainingState(network: Network, state: TrainingState): void {
  const { gpu } = network;
  const { optimizer } = network.compiled;
  const variables = variablesByPath(network);
  const random = randomLayers(network);
  const trainable = new Set(network.trainableWeights);
  const mismatch = (what: string): never => {
    throw new ConvbaseError('state/mismatch', what, {
      where: network.name,
      fix: 'Use the state with the model and the optimizer that it was taken from.',
    });
  };

  const slotNames = new Set(optimizer.slots);
  for (const [key, { shape, data }] of Object.entries(state.tensors)) {
    const { slot, path } = partsOf(key) ?? mismatch(`there is no place for ${key}`);
    const variable = variables.get(path) ?? mismatch(`the model has no weight ${path}`);
    if (slot !== null && !slotNames.has(slot)) mismatch(`the optimizer keeps no ${slot} beside its weights`);
    const fits = shape.length === variable.shape.length && shape.every((d, i) => d === variable.shape[i]);
    if (!fits || data.length !== variable.size) {
      mismatch(`${key} has shape ${formatShape(shape)}, the weight ${formatShape(variable.shape)}`);
    }
  }
  for (const [path, variable] of variables) {
    if (trainable.has(variable) && state.tensors[`weights/${path}`] === undefined) {
      mismatch(`the state has no ${path}, which is to be trained`);
    }
  }
  for (const [key, value] of Object.entries(state.numbers)) {
    const layer = key.startsWith('random/') ? random.get(key.slice('random/'.length)) : null;
    if (layer === undefined) mismatch(`no layer draws numbers for ${key}`);
    const whole = key !== 'learningRate';
    if (!Number.isFinite(value) || value < 0 || (whole && !Number.isSafeInteger(value))) {
      mismatch(`${key} cannot be ${value}`);
    }
  }

  optimizer.dispose();
  for (const [key, { data }] of Object.entries(state.tensors)) {
    const parts = partsOf(key);
    const variable = variables.get(parts?.path ?? '');
    if (parts === null || variable === undefined) continue;
    if (parts.slot === null) {
      variable.assign(data.slice());
      variable.changed();
    } else optimizer.restoreSlot(gpu, variable, parts.slot, data);
  }
  optimizer.iterations = state.numbers['iterations'] ?? 0;
  const { learningRate } = state.numbers;
  if (learningRate !== undefined && optimizer.schedule === null) optimizer.learningRate = learningRate;
  for (const [name, layer] of random) layer.randomOffset = state.numbers[`random/${name}`] ?? 0;
}

/** Weights by their path; of several with one path (in different nested models) the later ones get a number. */
function variablesByPath(network: Network): Map<string, Variable> {
  return byName(network.weights, (variable) => variable.path);
}

function randomLayers(network: Network): Map<string, Layer> {
  const found = new Set<Layer>();
  const visit = (layer: Layer): void => {
    if (layer.randomOffset !== null) found.add(layer);
    layer.sublayers.forEach(visit);
  };
  network.sublayers.forEach(visit);
  return byName([...found], (layer) => layer.name);
}

function byName<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T> {
  const named = new Map<string, T>();
  for (const item of items) {
    const name = nameOf(item);
    let key = name;
    for (let count = 1; named.has(key); count++) key = `${name}#${count}`;
    named.set(key, item);
  }
  return named;
}

function partsOf(key: string): { slot: string | null; path: string } | null {
  const [kind, ...rest] = key.split('/');
  if (kind === 'weights') return { slot: null, path: rest.join('/') };
  const [slot, ...path] = rest;
  return kind === 'optimizer' && slot !== undefined ? { slot, path: path.join('/') } : null;
}
