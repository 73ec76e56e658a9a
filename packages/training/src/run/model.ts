import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  Dense,
  Dropout,
  Flatten,
  l2,
  NameScope,
  Sequential,
  type Layer,
  type Loss,
  type Precision,
} from '@convbase/layers';
import { openBase, type Base, type StatusOptions } from '@convbase/models';
import type { Recipe, RecipeStage } from '../recipe/index.ts';
import { pictureSize } from './pictures.ts';

/** The whole model of a run: the base as one layer, and the head's layers on it. */
export interface RunModel {
  readonly model: Sequential;
  readonly base: Base;
  /** Flatten, Dense, Dropout, Dense. */
  readonly head: readonly Layer[];
}

/**
 * Opens the base with its weights and puts the head onto it, with initial weights that the seed decides.
 *
 * @throws ConvbaseError those of `openBase`
 */
export async function buildRunModel(
  recipe: Recipe,
  classCount: number,
  status: StatusOptions,
): Promise<RunModel> {
  const { base: spec, weights, head } = recipe.model;
  const base = await openBase(spec, {
    ...(weights === undefined ? {} : { weights }),
    size: pictureSize(recipe.data),
    ...status,
  });
  const names = new NameScope();
  const layers = headLayers(head, classCount, names);
  const model = new Sequential({ layers: [base.model, ...layers], names });
  model.seed(recipe.seed ?? 0);
  model.precision = precisionOf(recipe);
  return { model, base, head: layers };
}

/** The precision that a recipe asks for. */
export function precisionOf({ precision = 'float32' }: Recipe): Precision {
  return precision;
}

/** The notebooks' head: one sigmoid unit for two classes, a softmax over more. */
export function headLayers(
  { units, activation, dropout, l2: factor = 0 }: Recipe['model']['head'],
  classCount: number,
  names: NameScope,
): Layer[] {
  const binary = classCount === 2;
  const penalty = factor > 0 ? { kernelRegularizer: l2(factor) } : {};
  return [
    new Flatten({ names }),
    ...(units > 0 ? [new Dense({ units, activation, names, ...penalty })] : []),
    ...(dropout > 0 ? [new Dropout({ rate: dropout, names })] : []),
    new Dense({
      units: binary ? 1 : classCount,
      activation: binary ? 'sigmoid' : 'softmax',
      names,
      ...penalty,
    }),
  ];
}

/** The loss that goes with the head. */
export function headLoss(classCount: number, labelSmoothing = 0): Loss {
  const config = { labelSmoothing };
  return classCount === 2 ? new BinaryCrossentropy(config) : new CategoricalCrossentropy(config);
}

/** Says which layers of the base learn in a stage; the head always does. */
export function freeze({ base: { model }, head }: RunModel, unfreeze: RecipeStage['unfreeze']): void {
  for (const layer of head) layer.trainable = true;
  if (unfreeze === 'none' || unfreeze === 'all') model.trainable = unfreeze === 'all';
  else if ('from' in unfreeze) model.unfreezeFrom(unfreeze.from);
  else model.unfreezeLast(unfreeze.last);
}

/** Forgets what the head has learned; the seed decides what it starts from. */
export function renewHead({ head }: RunModel, seed: number): void {
  for (const layer of head) {
    for (const weight of layer.weights) weight.dispose();
    layer.seed(seed);
  }
}
