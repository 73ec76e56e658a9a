import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { labelsOf, pictureBatches, type PictureDataset, type PictureSet } from '@convbase/data';
import {
  balancedClassWeight,
  splitFrozen,
  type Dataset,
  type FrozenSplit,
  type Model,
} from '@convbase/layers';
import { cachedPrefix, type CachedPrefix, type PrefixReport } from '../prefix/index.ts';
import type { Recipe, RecipeStage } from '../recipe/index.ts';
import { augmented } from './augmented.ts';
import { freeze, headLoss, type RunModel } from './model.ts';
import type { RunObserver } from './observer.ts';
import { stageOptimizer } from './optimizer.ts';
import { batchOptions, type RunPictures } from './pictures.ts';

/** What all stages of a run share. */
export interface RunContext {
  readonly recipe: Recipe;
  readonly built: RunModel;
  readonly pictures: RunPictures;
  readonly gpu: Gpu;
  readonly observer: RunObserver;
  readonly signal: AbortSignal | undefined;
  /** Where the outputs of frozen parts are kept; default in convbase's cache folder. */
  readonly cacheFolder: string | undefined;
}

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
  const { recipe, built, pictures, gpu, signal } = context;
  const { model } = built;
  freeze(built, stage.unfreeze);
  const split = splitFrozen(model);
  const judging = split?.suffix ?? model;
  const network = stage.augmentation === undefined ? judging : model;
  split?.prefix.to(gpu);
  for (const part of new Set([network, judging])) compile(part.to(gpu), context, stage);

  const outputs = split === null ? undefined : new PrefixOutputs(split.prefix, context);
  const judge = async (set: PictureSet, what: string): Promise<Judge> => {
    const data = pictureBatches(set, batchOptions(recipe.data, signal));
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
      shuffle: true,
      seed,
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
    await close();
    throw error;
  }
}

/** The frozen part's outputs for each set of pictures, each computed once. */
class PrefixOutputs {
  readonly #prefix: Model;
  readonly #context: RunContext;
  readonly #made = new Map<PictureSet, Promise<CachedPrefix>>();

  constructor(prefix: Model, context: RunContext) {
    this.#prefix = prefix;
    this.#context = context;
  }

  of(pictures: PictureDataset, what: string): Promise<CachedPrefix> {
    const there = this.#made.get(pictures.set);
    if (there !== undefined) return there;
    const { observer, signal, cacheFolder } = this.#context;
    const made = cachedPrefix(this.#prefix, pictures, {
      ...(cacheFolder === undefined ? {} : { folder: cacheFolder }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) =>
        observer.count?.(`${what} pictures through the frozen layers`, done, total),
    });
    this.#made.set(pictures.set, made);
    return made;
  }

  async close(): Promise<void> {
    for (const made of this.#made.values()) {
      // One that failed has told so already.
      const cache = await made.catch(() => undefined);
      await cache?.close();
    }
  }
}

function compile(model: Model, { pictures }: RunContext, stage: RecipeStage): void {
  model.compile({
    optimizer: stageOptimizer(stage.optimizer),
    loss: headLoss(pictures.classNames.length, stage.labelSmoothing),
    metrics: ['accuracy'],
  });
}

function classWeightsOf(
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
