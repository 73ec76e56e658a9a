import type { Layer } from '../layers/layer.ts';
import { whyNoLossScale } from '../optimizers/loss-scale.ts';
import type { StateTensor } from './callbacks.ts';
import type { Network } from './network.ts';
import {
  byName,
  mismatch,
  placeOf,
  readTrainedWeights,
  variablesByPath,
  writeTrainedWeights,
} from './trained-weights.ts';

const LOSS_SCALE = 'lossScale';

/** Everything that a training step depends on besides its batch, as plain data. */
export interface TrainingState {
  /** `weights/<path>`, `optimizer/<slot>/<path>` and in mixed precision `lossScale` */
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
  const tensors = await readTrainedWeights(network);
  for (const [path, variable] of variablesByPath(network)) {
    for (const [slot, values] of Object.entries(optimizer.slotsOf(variable))) {
      tensors[`optimizer/${slot}/${path}`] = { shape: variable.shape, data: await values.data() };
    }
  }
  if (network.precision === 'mixed') {
    const data = await optimizer.lossScale.save();
    tensors[LOSS_SCALE] = { shape: [data.length], data };
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
  const { optimizer } = network.compiled;
  const slots = slotsOf(network, state);
  const random = randomLayers(network);
  checkComplete(network, state);
  checkNumbers(network, state, random);
  checkLossScale(network, state);

  writeTrainedWeights(network, state.tensors);
  optimizer.dispose();
  for (const { slot, variable, data } of slots) optimizer.restoreSlot(network.gpu, variable, slot, data);
  optimizer.lossScale.restore(state.tensors[LOSS_SCALE]?.data);
  const { numbers } = state;
  optimizer.iterations = numbers['iterations'] ?? 0;
  if (optimizer.schedule === null) optimizer.learningRate = numbers['learningRate'] ?? Number.NaN;
  for (const [name, layer] of random) layer.randomOffset = numbers[`random/${name}`] ?? 0;
}

function slotsOf(
  network: Network,
  { tensors }: TrainingState,
): (ReturnType<typeof placeOf> & { slot: string })[] {
  const variables = variablesByPath(network);
  const names = new Set(network.compiled.optimizer.slots);
  return Object.entries(tensors).flatMap(([key, value]) => {
    const [kind, slot = '', ...path] = key.split('/');
    if (kind === 'weights') return [];
    if (key === LOSS_SCALE) return [];
    if (kind !== 'optimizer') mismatch(network, `there is no place for ${key}`);
    if (!names.has(slot)) mismatch(network, `the optimizer keeps no ${slot} of its weights`);
    return [{ slot, ...placeOf(network, variables, path.join('/'), value) }];
  });
}

/** Throws for the state of another precision: what has the loss scale is mixed, what has not is float32. */
function checkLossScale(network: Network, { tensors, numbers }: TrainingState): void {
  const saved = tensors[LOSS_SCALE];
  if ((saved !== undefined) !== (network.precision === 'mixed')) {
    const its = saved === undefined ? 'float32' : 'mixed';
    mismatch(
      network,
      `the training was begun with precision ${its}, and the model's is ${network.precision}`,
    );
  }
  const why = saved && whyNoLossScale(saved.data, numbers['iterations'] ?? 0);
  if (why) mismatch(network, why);
}

function checkComplete(network: Network, { tensors }: TrainingState): void {
  const trainable = new Set(network.trainableWeights);
  for (const [path, variable] of variablesByPath(network)) {
    if (trainable.has(variable) && tensors[`weights/${path}`] === undefined) {
      mismatch(network, `the state lacks ${path}, which is to be trained`);
    }
  }
}

function checkNumbers(
  network: Network,
  { numbers }: TrainingState,
  random: ReadonlyMap<string, Layer>,
): void {
  const needed = ['iterations', ...[...random.keys()].map((name) => `random/${name}`)];
  if (network.compiled.optimizer.schedule === null) needed.push('learningRate');
  for (const key of needed) if (numbers[key] === undefined) mismatch(network, `the state lacks ${key}`);
  for (const [key, value] of Object.entries(numbers)) {
    const layer = /^random\/(.*)$/.exec(key)?.[1];
    if (layer !== undefined && !random.has(layer))
      mismatch(network, `no layer ${layer} draws random numbers`);
    const possible =
      key === 'learningRate' ? Number.isFinite(value) : Number.isSafeInteger(value) && value >= 0;
    if (!possible) mismatch(network, `${key} cannot be ${value}`);
  }
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
