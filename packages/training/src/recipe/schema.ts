import { precisions } from '@convbase/layers';
import { z } from 'zod';

const count = z.number().int().positive();
const share = z.number().gt(0).max(1);
const rate = z.number().min(0).lt(1);
/** A number, or a range. */
const span = z.union([z.number(), z.tuple([z.number(), z.number()])], {
  error: 'write a number, or a range [low, high]',
});
const folders = z.array(z.string().min(1)).min(1);

/** What both kinds of data say about how a picture becomes numbers. */
const pictures = {
  /** Pixels: one number for a square, or [height, width]. */
  size: z.union([count, z.tuple([count, count])], { error: 'write one number, or [height, width]' }),
  /** How pictures get that size; `nearest` when left out, as in Keras' generators. */
  resize: z.enum(['nearest', 'bilinear', 'pil-bilinear', 'pad']).default('nearest'),
  /** How bytes become the numbers that the base sees. */
  preprocess: z.enum(['caffe', 'tf', 'rescale', 'none']),
  batchSize: count,
  /** Takes only this share of each class of the pictures to train and to validate with: the first ones. */
  fraction: share.optional(),
  /** The same for the pictures to test with. */
  testFraction: share.optional(),
  /** What becomes of pictures that cannot be read: `refuse`, when left out, ends the run; `skip` leaves them out. */
  onBadImage: z.enum(['refuse', 'skip']).optional(),
};

/** Folders with one folder of pictures for each class. */
const folderData = z.strictObject({
  kind: z.literal('folder'),
  /** Folders below the data folder (`.` is that folder itself), taken together. */
  train: folders,
  /** The same, or a share of the pictures to train with that is kept back; without it nothing is validated. */
  validation: z
    .union([folders, z.strictObject({ share: z.number().gt(0).lt(1) })], {
      error: 'write a list of folders, or { share: 0.2 }',
    })
    .optional(),
  test: folders.optional(),
  ...pictures,
});

/** MNIST's four idx files, both parts taken together in their order. */
const mnistData = z.strictObject({
  kind: z.literal('mnist'),
  /** The first part of all digits is to train with; the rest is to validate and to test with. */
  trainShare: z.number().gt(0).lt(1),
  ...pictures,
});

const optimizer = z.strictObject({
  name: z.enum(['adam', 'adamw', 'rmsprop', 'sgd']),
  /** Keras' default for the optimizer when left out. */
  learningRate: z
    .union(
      [
        z.number().positive(),
        z.strictObject({
          schedule: z.literal('PiecewiseConstantDecay'),
          boundaries: z.array(z.number()),
          values: z.array(z.number()),
        }),
        z.strictObject({
          schedule: z.literal('ExponentialDecay'),
          initialLearningRate: z.number().positive(),
          decaySteps: count,
          decayRate: z.number().positive(),
          staircase: z.boolean().optional(),
        }),
        z.strictObject({
          schedule: z.literal('CosineDecay'),
          initialLearningRate: z.number().min(0),
          decaySteps: count,
          alpha: z.number().min(0).optional(),
          warmupTarget: z.number().positive().optional(),
          warmupSteps: count.optional(),
        }),
      ],
      {
        error:
          'write a number, or { schedule: PiecewiseConstantDecay | ExponentialDecay | CosineDecay, .. } with the arguments that Keras has',
      },
    )
    .optional(),
  momentum: rate.optional(),
  nesterov: z.boolean().optional(),
  rho: rate.optional(),
  beta1: rate.optional(),
  beta2: rate.optional(),
  epsilon: z.number().positive().optional(),
  centered: z.boolean().optional(),
  amsgrad: z.boolean().optional(),
  weightDecay: z.number().min(0).optional(),
  clipValue: z.number().positive().optional(),
  clipNorm: z.number().positive().optional(),
  globalClipNorm: z.number().positive().optional(),
});

const fill = {
  fillMode: z.enum(['reflect', 'wrap', 'constant', 'nearest']).optional(),
  fillValue: z.number().optional(),
};

/** Keras' augmentation layers with its arguments, in camel case. */
const augmentationLayer = z.discriminatedUnion('layer', [
  z.strictObject({
    layer: z.literal('RandomFlip'),
    mode: z.enum(['horizontal', 'vertical', 'horizontal_and_vertical']).optional(),
  }),
  z.strictObject({ layer: z.literal('RandomRotation'), factor: span, ...fill }),
  z.strictObject({
    layer: z.literal('RandomZoom'),
    heightFactor: span,
    widthFactor: span.optional(),
    ...fill,
  }),
  z.strictObject({ layer: z.literal('RandomTranslation'), heightFactor: span, widthFactor: span, ...fill }),
  z.strictObject({ layer: z.literal('RandomContrast'), factor: span }),
  z.strictObject({ layer: z.literal('RandomBrightness'), factor: span }),
]);

/** The arguments of Keras' ImageDataGenerator, in camel case; `rescale` is what `preprocess` is for. */
const generator = z.strictObject({
  rotationRange: z.number().min(0).optional(),
  widthShiftRange: z.number().min(0).optional(),
  heightShiftRange: z.number().min(0).optional(),
  shearRange: z.number().min(0).optional(),
  zoomRange: span.optional(),
  channelShiftRange: z.number().min(0).optional(),
  brightnessRange: z.tuple([z.number(), z.number()]).optional(),
  horizontalFlip: z.boolean().optional(),
  verticalFlip: z.boolean().optional(),
  fillMode: z.enum(['nearest', 'reflect', 'wrap', 'constant']).optional(),
  cval: z.number().optional(),
});

const augmentation = z.union(
  [z.strictObject({ generator }), z.strictObject({ layers: z.array(augmentationLayer).min(1) })],
  { error: 'write { generator: { rotationRange: 30, .. } } or { layers: [{ layer: RandomFlip, .. }, ..] }' },
);

const monitor = { monitor: z.string().optional(), mode: z.enum(['auto', 'min', 'max']).optional() };

const stage = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'use small letters, digits and -'),
  /**
   * Which layers of the base learn: none, all, those from a named one on, or the last so many in Keras' order
   * (Python's `layers[-4:]` is `last: 4`). BatchNormalization that is frozen computes as in inference.
   */
  unfreeze: z.union(
    [z.enum(['none', 'all']), z.strictObject({ from: z.string().min(1) }), z.strictObject({ last: count })],
    { error: 'write none, all, { from: LAYER } or { last: N }' },
  ),
  /** Whether the head goes on from the stage before or starts anew; the first stage's is always new. */
  head: z.enum(['fresh', 'continue']).optional(),
  optimizer,
  augmentation: augmentation.optional(),
  epochs: count,
  /** Batches in an epoch; without it once through all pictures. */
  stepsPerEpoch: count.optional(),
  /** Batches to validate with after each epoch; without it all. */
  validationSteps: count.optional(),
  /** A quantity, such as `val_loss`: the weights of the epoch where it was best are those that the stage ends with. */
  restoreBest: z.string().optional(),
  /** Keras' callbacks with their arguments, in camel case. */
  earlyStopping: z
    .strictObject({
      ...monitor,
      minDelta: z.number().min(0).optional(),
      patience: z.number().int().min(0).optional(),
      baseline: z.number().optional(),
      startFromEpoch: z.number().int().min(0).optional(),
    })
    .optional(),
  reduceLROnPlateau: z
    .strictObject({
      ...monitor,
      factor: z.number().gt(0).lt(1).optional(),
      patience: z.number().int().min(0).optional(),
      minDelta: z.number().min(0).optional(),
      cooldown: z.number().int().min(0).optional(),
      minLr: z.number().min(0).optional(),
    })
    .optional(),
  /** How much each class counts: by name, or `auto` for the inverse of how often it occurs. */
  classWeights: z
    .union([z.literal('auto'), z.record(z.string(), z.number().positive())], {
      error: 'write auto, or a weight for each class: { cats: 1, dogs: 2 }',
    })
    .optional(),
  labelSmoothing: rate.optional(),
});

/** A recipe: data, model, stages of training, and what others reported of it. */
export const recipeSchema = z.strictObject({
  /** What it does, in a line. */
  title: z.string().min(1),
  /** Whose procedure it is. */
  source: z.string().optional(),
  data: z.discriminatedUnion('kind', [folderData, mnistData]),
  model: z.strictObject({
    /** `vgg16`, `vgg19`, `inception_v3`, `resnet50`, a model file, or `npm:` and a package. */
    base: z.string().min(1),
    /** A weight file for a base that is named; without it ImageNet's weights. */
    weights: z.string().min(1).optional(),
    /** Flatten, Dense(units, activation), Dropout, and the last Dense with one unit (two classes) or one a class. */
    head: z.strictObject({
      /** 0 for no hidden layer. */
      units: z.number().int().min(0).max(1_000_000),
      activation: z.enum(['linear', 'relu', 'sigmoid', 'tanh']),
      /** Keras' own default where it is left out: nothing is dropped. */
      dropout: rate.default(0),
      /** The factor of an L2 penalty on the kernels of the head. */
      l2: z.number().min(0).optional(),
    }),
  }),
  /**
   * Instead of one head on the whole base, one on each of these layers, their outputs averaged over the picture;
   * `blocks` are the ends of the base's blocks.
   */
  sweep: z
    .union([z.literal('blocks'), z.array(z.string().min(1)).min(1)], {
      error: 'write blocks, or a list of layers',
    })
    .optional(),
  stages: z.array(stage).min(1),
  /** Decides initial weights, data order, dropout and augmentation; 0 when left out. */
  seed: z.number().int().min(0).optional(),
  /** What lies between layers: `float32` when left out, or `mixed` for float16 (docs/mixed-precision.md). */
  precision: z.enum(precisions, { error: `write ${precisions.join(' or ')}` }).optional(),
  /** What the source reports: accuracy after a stage, on the validation or the test pictures. */
  reported: z
    .array(
      z.strictObject({
        stage: z.string(),
        accuracy: z.number().min(0).max(1),
        note: z.string().optional(),
      }),
    )
    .optional(),
});

export type Recipe = z.infer<typeof recipeSchema>;
export type RecipeData = Recipe['data'];
export type RecipeStage = Recipe['stages'][number];
export type RecipeAugmentation = NonNullable<RecipeStage['augmentation']>;
