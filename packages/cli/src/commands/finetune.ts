import { join, resolve } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { exists } from '@convbase/base/node';
import { resizeModes, type ResizeMode } from '@convbase/data';
import { applications, isApplication } from '@convbase/models';
import { changeRecipe, type Recipe, type RecipeStage } from '@convbase/training';
import { Option, type Command } from 'commander';
import { lasting, preprocessOption } from '../jobs/base-options.ts';
import { changesOf, executeRecipe, withRunOptions, type RunFlags } from '../jobs/recipe-run.ts';
import type { Invocation } from '../program.ts';
import {
  MOST_UNITS,
  numberBetween,
  pictureSize,
  wholeNumber,
  withCommonOptions,
} from '../terminal/options.ts';

type Optimizer = RecipeStage['optimizer']['name'];

interface FinetuneFlags extends RunFlags {
  readonly model: string;
  readonly weights?: string;
  readonly size?: [number, number];
  readonly preprocess: 'default' | Recipe['data']['preprocess'];
  readonly resize: ResizeMode;
  readonly batchSize: number;
  readonly validationShare: number;
  readonly units: number;
  readonly activation: Recipe['model']['head']['activation'];
  readonly dropout: number;
  readonly l2?: number;
  readonly headEpochs: number;
  readonly headOptimizer: Optimizer;
  readonly headLearningRate?: number;
  readonly unfreezeFrom?: string;
  readonly unfreezeLast?: number;
  readonly epochs: number;
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  readonly augmentation: keyof typeof augmentations;
  readonly classWeights?: 'auto';
  readonly labelSmoothing?: number;
  readonly stepsPerEpoch?: number;
  readonly patience?: number;
}

/** What `--augmentation` means: nothing, the book's layers, the notebooks' generator. */
const augmentations = {
  none: undefined,
  layers: {
    layers: [
      { layer: 'RandomFlip', mode: 'horizontal' },
      { layer: 'RandomRotation', factor: 0.1 },
      { layer: 'RandomZoom', heightFactor: 0.2 },
    ],
  },
  generator: {
    generator: {
      rotationRange: 30,
      widthShiftRange: 0.2,
      heightShiftRange: 0.2,
      shearRange: 0.2,
      zoomRange: 0.2,
      horizontalFlip: true,
    },
  },
} as const satisfies Record<string, unknown>;

/** The last block of a base, which is what is usually fine-tuned. */
const lastBlocks: Readonly<Record<keyof typeof applications, RecipeStage['unfreeze']>> = {
  vgg16: { from: 'block5_conv1' },
  vgg19: { from: 'block5_conv1' },
  inception_v3: { last: 12 },
  resnet50: { from: 'conv5_block3_1_conv' },
};

const optimizers: readonly Optimizer[] = ['adam', 'adamw', 'rmsprop', 'sgd'];

/** `convbase finetune`: a head on the frozen base, then both at a low rate. */
export function addFinetune(program: Command, invocation: Invocation): void {
  const command = program
    .command('finetune')
    .argument('<dir>', 'class folders, or folders train, validation and test of such')
    .summary('train a head, then part of the base with it')
    .description(
      'Trains a new head on a frozen pretrained model, then goes on with the last layers of the model too, at a low ' +
        'rate. A run that was stopped goes on with --resume.',
    )
    .requiredOption('--model <model>', 'vgg16, vgg19, inception_v3, resnet50, or a model file')
    .option('--weights <path>', 'weight file for a model that is named; default: ImageNet weights')
    .option(
      '--size <size>',
      "picture size: 150, or height x width 150x200; default: the model's",
      pictureSize,
    )
    .addOption(preprocessOption("how bytes become numbers; default: what the model's weights expect"))
    .addOption(
      new Option('--resize <mode>', 'how pictures get their size')
        .choices([...resizeModes])
        .default('bilinear'),
    )
    .option('--batch-size <n>', 'pictures a step', wholeNumber(1), 32)
    .option(
      '--validation-share <f>',
      'kept back to validate with where there is no folder for that',
      numberBetween(0, 1),
      0.2,
    )
    .option('--units <n>', "units of the head's hidden layer, 0 for none", wholeNumber(0, MOST_UNITS), 256)
    .addOption(
      new Option('--activation <name>', 'of the hidden layer')
        .choices(['linear', 'relu', 'sigmoid', 'tanh'])
        .default('relu'),
    )
    .option('--dropout <rate>', 'share of hidden units dropped in training', numberBetween(0, 1, true), 0.5)
    .option('--l2 <factor>', "penalty on the head's kernels", numberBetween(0, Infinity))
    .option('--head-epochs <n>', 'epochs of the first stage', wholeNumber(1), 10)
    .addOption(
      new Option('--head-optimizer <name>', 'of the first stage').choices(optimizers).default('adam'),
    )
    .option('--head-learning-rate <rate>', "default: Keras' for the optimizer", numberBetween(0, Infinity))
    .option('--unfreeze-from <layer>', 'what the second stage trains; default: the last block')
    .option('--unfreeze-last <n>', 'the same by number of layers', wholeNumber(1))
    .option('--epochs <n>', 'epochs of the second stage, 0 for none', wholeNumber(0), 10)
    .addOption(new Option('--optimizer <name>', 'of the second stage').choices(optimizers).default('adam'))
    .option('--learning-rate <rate>', 'of the second stage', numberBetween(0, Infinity), 1e-5)
    .addOption(
      new Option('--augmentation <kind>', "none, the book's layers, or the notebooks' generator")
        .choices(Object.keys(augmentations))
        .default('none'),
    )
    .addOption(new Option('--class-weights <how>', 'auto: rare classes count more').choices(['auto']))
    .option('--label-smoothing <s>', 'how far labels are moved from 0 and 1', numberBetween(0, 1, true))
    .option('--steps-per-epoch <n>', 'batches in an epoch; default: all pictures', wholeNumber(1))
    .option('--patience <n>', 'ends a stage after n epochs without a better val_loss', wholeNumber(0));
  withRunOptions(command).addHelpText(
    'after',
    '\nThe weights of the epoch with the best val_loss are what a stage ends with.\n' +
      '\nExamples:\n  convbase finetune pictures/ --model inception_v3 --size 150 --out run/\n' +
      '  convbase finetune pictures/ --model vgg16 --size 150 --unfreeze-from block5_conv1 --out run/',
  );
  withCommonOptions(command, { gpu: true }).action((dir: string, flags: FinetuneFlags) =>
    finetune(dir, flags, invocation),
  );
}

async function finetune(dir: string, flags: FinetuneFlags, invocation: Invocation): Promise<void> {
  const recipe = changeRecipe(await recipeFrom(dir, flags), changesOf(flags));
  await executeRecipe(recipe, 'finetune', dir, flags, invocation);
}

/** The two-stage procedure as a recipe. */
async function recipeFrom(dir: string, flags: FinetuneFlags): Promise<Recipe> {
  const { model, weights, units, activation, dropout, l2, batchSize, resize } = flags;
  const known = isApplication(model) ? applications[model] : undefined;
  return {
    title: `a head on ${model}${flags.epochs > 0 ? ', then its last layers' : ''}`,
    data: {
      kind: 'folder',
      ...(await foldersOf(dir, flags.validationShare)),
      size: flags.size ?? (known ? [known.defaultSize, known.defaultSize] : missing('size', model)),
      resize,
      preprocess:
        flags.preprocess === 'default'
          ? (known?.preprocess ?? missing('preprocess', model))
          : flags.preprocess,
      batchSize,
    },
    model: {
      base: await lasting(model),
      ...(weights === undefined ? {} : { weights: resolve(weights) }),
      head: { units, activation, dropout, ...(l2 === undefined ? {} : { l2 }) },
    },
    stages: stagesFrom(flags),
  };
}

function stagesFrom(flags: FinetuneFlags): RecipeStage[] {
  const { classWeights, labelSmoothing, stepsPerEpoch, patience } = flags;
  const augmentation = augmentations[flags.augmentation];
  const both = {
    ...(augmentation === undefined
      ? {}
      : { augmentation: structuredClone(augmentation) as RecipeStage['augmentation'] }),
    ...(classWeights === undefined ? {} : { classWeights }),
    ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
    ...(stepsPerEpoch === undefined ? {} : { stepsPerEpoch }),
    ...(patience === undefined ? {} : { earlyStopping: { patience } }),
    restoreBest: 'val_loss',
  };
  const { headOptimizer: name, headLearningRate } = flags;
  const head: RecipeStage = {
    ...both,
    name: 'head',
    unfreeze: 'none',
    optimizer: { name, ...(headLearningRate === undefined ? {} : { learningRate: headLearningRate }) },
    epochs: flags.headEpochs,
  };
  if (flags.epochs === 0) return [head];
  const finetuning: RecipeStage = {
    ...both,
    name: 'finetune',
    unfreeze: unfreezing(flags),
    head: 'continue',
    optimizer: { name: flags.optimizer, learningRate: flags.learningRate },
    epochs: flags.epochs,
  };
  return [head, finetuning];
}

function unfreezing({ unfreezeFrom, unfreezeLast, model }: FinetuneFlags): RecipeStage['unfreeze'] {
  if (unfreezeFrom !== undefined && unfreezeLast !== undefined) {
    throw new ConvbaseError('usage/unfreeze', 'it is said twice what is to be trained', {
      fix: 'Give --unfreeze-from or --unfreeze-last.',
    });
  }
  if (unfreezeFrom !== undefined) return { from: unfreezeFrom };
  if (unfreezeLast !== undefined) return { last: unfreezeLast };
  if (isApplication(model)) return lastBlocks[model];
  throw new ConvbaseError('usage/unfreeze', 'nobody knows which layers of the model to train', {
    where: model,
    fix: 'Say it with --unfreeze-from LAYER or --unfreeze-last N; or train the head alone with --epochs 0.',
  });
}

/** The folders of a data folder that is parted already, else all of it with a share kept back. */
async function foldersOf(
  dir: string,
  share: number,
): Promise<Pick<Recipe['data'] & { kind: 'folder' }, 'train' | 'validation' | 'test'>> {
  const there = (name: string): Promise<boolean> => exists(join(dir, name));
  if (!(await there('train'))) return { train: ['.'], validation: { share } };
  let validation: string | undefined;
  for (const name of ['validation', 'val', 'valid']) if (await there(name)) validation ??= name;
  return {
    train: ['train'],
    validation: validation === undefined ? { share } : [validation],
    ...((await there('test')) ? { test: ['test'] } : {}),
  };
}

function missing(what: 'size' | 'preprocess', model: string): never {
  const example = what === 'size' ? '--size 150' : '--preprocess rescale (or caffe, tf, none)';
  throw new ConvbaseError(`usage/${what}`, `a model file does not say its ${what}`, {
    where: model,
    fix: `Say it with ${example}.`,
  });
}
