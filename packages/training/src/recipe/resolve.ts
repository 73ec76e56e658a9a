import type { Precision } from '@convbase/layers';
import { applications, isApplication } from '@convbase/models';
import type { Recipe, RecipeStage } from './schema.ts';

/** What a user may change about a recipe without writing one. */
export interface RecipeChanges {
  /**
   * Another base, such as `vgg19` in place of `vgg16`. Where pictures were treated as the old one's weights expect,
   * they are treated as the new one's do.
   */
  readonly base?: string;
  /** The base's weight file. */
  readonly weights?: string;
  /** Only this share of the pictures to train and validate with, and of the steps of an epoch. */
  readonly fraction?: number;
  /** Only this share of the pictures to test with. */
  readonly testFraction?: number;
  /** No stage has more epochs. */
  readonly epochs?: number;
  /** A head that would start anew in a later stage goes on instead. */
  readonly continueHead?: boolean;
  readonly seed?: number;
  readonly precision?: Precision;
  /** What becomes of pictures that cannot be read. */
  readonly onBadImage?: 'refuse' | 'skip';
}

/** The recipe with the changes written into it; it is a recipe again, and says all that decides a run. */
export function changeRecipe(recipe: Recipe, changes: RecipeChanges): Recipe {
  const { base, weights, fraction, testFraction, epochs, continueHead, seed, onBadImage, precision } =
    changes;
  return {
    ...recipe,
    data: {
      ...recipe.data,
      preprocess: preprocessFor(recipe, base),
      ...(fraction === undefined ? {} : { fraction: fraction * (recipe.data.fraction ?? 1) }),
      ...(testFraction === undefined ? {} : { testFraction: testFraction * (recipe.data.testFraction ?? 1) }),
      ...(onBadImage === undefined ? {} : { onBadImage }),
    },
    model: {
      ...recipe.model,
      ...(base === undefined ? {} : { base }),
      ...(weights === undefined ? {} : { weights }),
    },
    stages: recipe.stages.map((stage) => changeStage(stage, { fraction, epochs, continueHead })),
    ...(seed === undefined ? {} : { seed }),
    ...(precision === undefined ? {} : { precision }),
  };
}

function preprocessFor({ data, model }: Recipe, base: string | undefined): Recipe['data']['preprocess'] {
  const own = (name: string): Recipe['data']['preprocess'] | undefined =>
    isApplication(name) ? applications[name].preprocess : undefined;
  if (base === undefined || data.preprocess !== own(model.base)) return data.preprocess;
  return own(base) ?? data.preprocess;
}

/** How many of a class of `count` pictures (or of an epoch's steps) a fraction is: rounded down, but at least one. */
export function fractionOf(count: number, fraction: number): number {
  return Math.max(1, Math.floor(count * fraction));
}

function changeStage(
  stage: RecipeStage,
  {
    fraction,
    epochs,
    continueHead,
  }: Record<'fraction' | 'epochs', number | undefined> & { continueHead: boolean | undefined },
): RecipeStage {
  const { stepsPerEpoch, validationSteps } = stage;
  const steps = (
    key: 'stepsPerEpoch' | 'validationSteps',
    count: number | undefined,
  ): Partial<RecipeStage> =>
    fraction === undefined || count === undefined ? {} : { [key]: fractionOf(count, fraction) };
  return {
    ...stage,
    ...steps('stepsPerEpoch', stepsPerEpoch),
    ...steps('validationSteps', validationSteps),
    epochs: Math.min(stage.epochs, epochs ?? Infinity),
    ...(continueHead === true && stage.head === 'fresh' ? { head: 'continue' } : {}),
  };
}
