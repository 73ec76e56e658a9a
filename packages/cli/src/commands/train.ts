import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import {
  afterFailure,
  doEach,
  lockFolder,
  removeAtOnce,
  removeEmptyFolder,
  withTidying,
} from '@convbase/base/node';
import type { Gpu } from '@convbase/core-gpu';
import { featureBatches, readManifest, recipeDifference, type Features } from '@convbase/data';
import { InputMeter, type ActivationName, type Callback } from '@convbase/layers';
import { Classifier, trainHead, type ClassifierConfig } from '@convbase/models';
import { refuseNaN } from '@convbase/training';
import { Option, type Command } from 'commander';
import {
  baseOptionNames,
  openFlaggedBase,
  requireModel,
  withBaseOptions,
  type BaseFlags,
  type BaseWithInput,
} from '../jobs/base-options.ts';
import { checkClassifierFolder, refuseLockedWithin, SCRATCH } from '../jobs/classifier-folder.ts';
import { featuresOf, isFeatureFolder, type Extractor } from '../jobs/features-of.ts';
import { openPictures, pictureOptionNames, withPictureOptions, type PictureFlags } from '../jobs/pictures.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { waitingOf } from '../terminal/input.ts';
import {
  MOST_UNITS,
  numberBetween,
  refuseOptions,
  wholeNumber,
  withCommonOptions,
  type CommonOptions,
} from '../terminal/options.ts';
import { printResult } from '../terminal/print.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';

interface TrainFlags extends BaseFlags, PictureFlags, CommonOptions {
  readonly validation?: string;
  readonly units: number;
  readonly activation: ActivationName;
  readonly dropout: number;
  readonly optimizer: string;
  readonly learningRate?: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly out: string;
}

/** `convbase train`: the dense head on features, or straight from pictures. */
export function addTrain(program: Command, invocation: Invocation): void {
  const command = program
    .command('train')
    .argument(
      '<features-or-dirs...>',
      'folders from `convbase extract`, or folders of pictures (with --model)',
    )
    .summary('train a classifier')
    .description(
      'Trains a dense head on the features of pictures and saves a classifier folder that `predict` uses.',
    );
  withPictureOptions(withBaseOptions(command), 'train, and test for --validation')
    .option('--validation <dir>', 'features or pictures to judge each epoch by')
    .option('--units <n>', 'units of the hidden dense layer, 0 for none', wholeNumber(0, MOST_UNITS), 256)
    .addOption(
      new Option('--activation <name>', 'of the hidden layer')
        .choices(['linear', 'relu', 'sigmoid', 'tanh'])
        .default('relu'),
    )
    .option('--dropout <rate>', 'share of hidden units dropped in training', numberBetween(0, 1, true), 0.5)
    .addOption(
      new Option('--optimizer <name>', 'how weights follow gradients')
        .choices(['adam', 'adamw', 'rmsprop', 'sgd'])
        .default('adam'),
    )
    .option(
      '--learning-rate <rate>',
      "step size; default: Keras' for the optimizer",
      numberBetween(0, Infinity),
    )
    .option('--epochs <n>', 'times through all features', wholeNumber(1), 10)
    .option('--batch-size <n>', 'samples a step', wholeNumber(1), 20)
    .option('--seed <n>', 'the same seed gives the same classifier on one adapter', wholeNumber(0), 0)
    .requiredOption('--out <dir>', 'folder to write the classifier to')
    .addHelpText(
      'after',
      '\nExamples:\n  convbase train features/ --epochs 10 --out classifier/\n' +
        '  convbase train pictures/ --model vgg16 --size 150 --out classifier/',
    );
  withCommonOptions(command, { gpu: true }).action(async (paths: string[], flags: TrainFlags) => {
    await checkClassifierFolder(flags.out);
    await checkSources(paths, flags, command);
    const release = await lockFolder(flags.out);
    try {
      await refuseLockedWithin(flags.out);
      await train(paths, flags, invocation.signal);
    } catch (error) {
      await afterFailure(() => doEach([release, () => removeEmptyFolder(flags.out)]));
      throw error;
    }
    await release();
  });
}

async function train(paths: readonly string[], flags: TrainFlags, signal: AbortSignal): Promise<void> {
  await usingGpu(flags, signal, async (gpu) => {
    const progress = createProgress('extract');
    let opened: Promise<BaseWithInput> | undefined;
    const extractor: Extractor = {
      gpu,
      open: () => (opened ??= openFlaggedBase(flags, { onStatus: progress.say, signal })),
      pictures: flags,
      batchSize: 32,
      onBadImage: flags.onBadImage,
      progress,
      signal,
      meter: new InputMeter(),
    };
    const meter = new InputMeter();
    const scratch = join(flags.out, SCRATCH);
    const wanted = { paths, preferred: 'train', scratch: join(scratch, 'training') } as const;
    const open: Features[] = [];
    const tidy = async (): Promise<void> => {
      progress.stop();
      await doEach(open.map((features) => () => features.close()));
      for (const folder of [wanted.scratch, scratch]) await removeEmptyFolder(folder);
    };
    const work = async (): Promise<Trained> => {
      const features = await featuresOf(wanted, extractor);
      open.push(features);
      const { classNames } = features.manifest;
      if (flags.validation !== undefined) {
        const request = { paths: [flags.validation], preferred: 'test', classNames } as const;
        open.push(await featuresOf({ ...request, scratch: join(scratch, 'validation') }, extractor));
      }
      (await opened)?.base.model.dispose();
      for (const features of open) await features.hold();
      return trainOn(gpu, features, open[1], flags, { signal, meter });
    };
    const result = await withTidying(work, tidy);
    await removeAtOnce(scratch);
    const extracting = waitingOf(extractor.meter, 'pictures', gpu.adapter);
    const training = waitingOf(meter, 'features', gpu.adapter, '--batch-size');
    printResult(
      flags.json,
      { ...result, extraction: extracting.input, input: training.input },
      `classifier for ${result.classNames.join(', ')} in ${flags.out}`,
      ...extracting.lines,
      ...training.lines,
    );
  });
}

/** What `--json` prints. */
interface Trained {
  readonly out: string;
  readonly classNames: readonly string[];
  /** One value for each epoch. */
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/**
 * Opens all sources once, so that a wrong path, options that mean nothing for them and features that do not go together
 * are told before a GPU is opened and hours are spent on the others.
 */
async function checkSources(paths: readonly string[], flags: TrainFlags, command: Command): Promise<void> {
  const all = [...paths, ...(flags.validation === undefined ? [] : [flags.validation])];
  const features: string[] = [];
  const pictures: string[] = [];
  for (const path of all) ((await isFeatureFolder(path)) ? features : pictures).push(path);
  for (const path of pictures) await openPictures(path, { ...flags, preferred: 'train' });
  if (pictures.length > 0) requireModel(flags);
  else {
    const why = 'features are what a model made of pictures, and these are made already';
    const fix = 'Leave it out, or give the folders of pictures.';
    refuseOptions(command, [...baseOptionNames, ...pictureOptionNames], why, fix);
  }
  const [first, ...others] = features;
  if (first === undefined) return;
  const manifest = await readManifest(first);
  for (const other of others) {
    const difference = recipeDifference(manifest, await readManifest(other), { source: false });
    if (difference !== undefined) throw mixed(other, first, difference);
  }
}

function mixed(where: string, other: string, difference: string): ConvbaseError {
  return new ConvbaseError(
    'features/mix',
    `these features and ${other} were made differently (${difference})`,
    {
      where,
      fix: 'Extract both with the same model, weights, layer, size, preprocessing and resize mode.',
    },
  );
}

async function trainOn(
  gpu: Gpu,
  features: Features,
  validation: Features | undefined,
  flags: TrainFlags,
  { signal, meter }: { readonly signal: AbortSignal; readonly meter: InputMeter },
): Promise<Trained> {
  const { manifest } = features;
  if (validation) {
    const difference = recipeDifference(manifest, validation.manifest, { source: false });
    if (difference !== undefined)
      throw mixed(flags.validation ?? 'validation', 'those to train on', difference);
  }
  const classCount = manifest.classNames.length;
  if (classCount < 2) {
    throw new ConvbaseError('data/one-class', 'there is only one class to learn', {
      fix: 'Add pictures of another class.',
    });
  }
  const { batchSize, seed, epochs, units, activation, dropout } = flags;
  const progress = createProgress('train');
  const dataset = featureBatches(features, { batchSize, shuffle: true, seed });
  const { head, history, learningRate } = await trainHead({
    gpu,
    dataset,
    ...(validation ? { validationData: featureBatches(validation, { batchSize: 128 }) } : {}),
    featureShape: manifest.featureShape,
    classCount,
    units,
    activation,
    dropout,
    optimizer: flags.optimizer,
    ...(flags.precision && { precision: flags.precision }),
    ...(flags.learningRate === undefined ? {} : { learningRate: flags.learningRate }),
    epochs,
    seed,
    callbacks: [
      epochProgress(progress, epochs, dataset.batchCount),
      refuseNaN(flags.precision ?? 'float32', {
        fix: 'Nothing was saved. Train with a smaller --learning-rate',
      }),
    ],
    signal,
    meter,
  });
  progress.stop();
  signal.throwIfAborted();
  const config: ClassifierConfig = {
    format: 'convbase-classifier',
    version: 1,
    base: manifest.base,
    input: manifest.input,
    classNames: manifest.classNames,
    featureShape: manifest.featureShape,
    head: { units, activation, dropout },
    training: {
      optimizer: flags.optimizer,
      learningRate,
      epochs,
      batchSize,
      seed,
      samples: features.rowCount,
      adapter: gpu.adapter.name,
      history: history.history,
    },
  };
  await new Classifier(config, head).save(flags.out);
  head.dispose();
  const last = Object.fromEntries(
    Object.entries(history.history).map(([key, values]) => [key, values.at(-1)]),
  );
  return { out: flags.out, classNames: manifest.classNames, ...last, history: history.history };
}

/** A bar over all batches of all epochs, and a line for each epoch. */
function epochProgress(progress: Progress, epochs: number, batchCount: number): Callback {
  return {
    onProgress: ({ epoch, batch, logs }) => {
      progress.update(epoch * batchCount + batch, epochs * batchCount, formatLogs(logs));
    },
    onEpochEnd: (epoch, logs) => {
      progress.update((epoch + 1) * batchCount, epochs * batchCount);
      progress.say(`epoch ${epoch + 1}/${epochs}  ${formatLogs(logs)}`);
    },
  };
}

function formatLogs(logs: Readonly<Record<string, number>>): string {
  return Object.entries(logs)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join('  ');
}
