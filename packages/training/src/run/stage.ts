import { ConvbaseError } from '@convbase/base';
import { afterFailure } from '@convbase/base/node';
import { labelsOf, pictureBatches, type PictureSet } from '@convbase/data';
import {
  balancedClassWeight,
  splitFrozen,
  type Dataset,
  type FrozenSplit,
  type Model,
} from '@convbase/layers';
import type { PrefixReport } from '../prefix/index.ts';
import type { RecipeStage } from '../recipe/index.ts';
import { augmented } from './augmented.ts';
import { checkPictures } from './check-pictures.ts';
import type { RunContext } from './context.ts';
import { freeze, headLoss } from './model.ts';
import { stageOptimizer } from './optimizer.ts';
import { batchOptions, type RunPictures } from './pictures.ts';
import { PrefixOutputs } from './prefix-outputs.ts';

/** Pictures, or what the frozen part made of them, and the model that takes them. */
export interface Judge {
  readonly model: Model;
  readonly data: Dataset;
}

/** A stage ready to be trained. */
export interface OpenStage {
  /** What `fit` trains: the whole model, or what comes behind its frozen part. */
  readonly network: Model;
  readonly training: Dataset;
  readonly validation: Judge | undefined;
  readonly classWeight: Record<number, number> | undefined;
  /** The part of the model that the stage leaves alone, where there is one. */
  readonly frozen: Pick<FrozenSplit, 'layers' | 'flops'> | null;
  /** What became of the frozen part's outputs for the pictures to train with; undefined where it runs in every step. */
  readonly cached: PrefixReport | undefined;
  /** Makes ready pictures that are only to be judged. */
  judge(set: PictureSet, what: string): Promise<Judge>;
  close(): Promise<void>;
}

/**
 * Freezes and compiles the model for a stage.
 *
 * Without augmentation the outputs of the frozen part are computed once, and the rest of the model is trained on them.
 * With augmentation the whole model is trained. Pictures that are only judged (validation, test) go through the frozen
 * part once in either case.
 */
export async function openStage(context: RunContext, stage: RecipeStage): Promise<OpenStage> {
  const { recipe, built, pictures, gpu, signal, memory } = context;
  const { model } = built;
  freeze(built, stage.unfreeze);
  const split = splitFrozen(model);
  const judging = split?.suffix ?? model;
  const network = stage.augmentation === undefined ? judging : model;
  split?.prefix.to(gpu);
  for (const part of new Set([network, judging])) compile(part.to(gpu), context, stage);

  const outputs = split === null ? undefined : new PrefixOutputs(split.prefix, context);
  const judge = async (set: PictureSet, what: string): Promise<Judge> => {
    const data = pictureBatches(set, { ...batchOptions(recipe.data, signal), memory });
    return { model: judging, data: (await outputs?.of(data, what)) ?? data };
  };
  const close = async (): Promise<void> => {
    await outputs?.close();
    split?.prefix.dispose();
    split?.suffix.dispose();
  };
  try {
    const seed = recipe.seed ?? 0;
    const shuffled = pictureBatches(pictures.train, {
      ...batchOptions(recipe.data, signal),
      memory,
      shuffle: true,
      seed,
    });
    await checkPictures(context, async (set) => {
      const data = pictureBatches(set, batchOptions(recipe.data, signal));
      return (await outputs?.known(data)) ?? false;
    });
    const cached = network === model ? undefined : await outputs?.of(shuffled, 'training');
    const training = stage.augmentation
      ? augmented(shuffled, stage.augmentation, seed)
      : (cached ?? shuffled);
    return {
      network,
      training,
      validation: pictures.validation && (await judge(pictures.validation, 'validation')),
      classWeight: classWeightsOf(stage, pictures),
      frozen: split,
      cached: cached?.report,
      judge,
      close,
    };
  } catch (error) {
    await afterFailure(close);
    throw error;
  }
}

/** Compiles a model, or a part of one, for a stage. */
export function compile(model: Model, { pictures }: RunContext, stage: RecipeStage): void {
  model.compile({
    optimizer: stageOptimizer(stage.optimizer),
    loss: headLoss(pictures.classNames.length, stage.labelSmoothing),
    metrics: ['accuracy'],
  });
}

/** The weight of each class by its index, where a stage weighs them. */
export function classWeightsOf(
  { classWeights, name }: RecipeStage,
  pictures: RunPictures,
): Record<number, number> | undefined {
  if (classWeights === undefined) return undefined;
  if (classWeights === 'auto') return balancedClassWeight(labelsOf(pictures.train));
  const { classNames } = pictures;
  const unknown = Object.keys(classWeights).find((key) => !classNames.includes(key));
  if (unknown !== undefined) {
    throw new ConvbaseError('recipe/class-weights', `there is no class ${unknown} to be weighed`, {
      where: `stage ${name}`,
      fix: `The classes are ${classNames.join(', ')}.`,
    });
  }
  return Object.fromEntries(
    Object.entries(classWeights).map(([key, weight]) => [classNames.indexOf(key), weight]),
  );
}
