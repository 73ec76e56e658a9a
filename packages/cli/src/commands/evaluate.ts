import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { afterFailure, exists, withTidying } from '@convbase/base/node';
import type { Gpu } from '@convbase/core-gpu';
import {
  featureBatches,
  Features,
  pictureBatches,
  recipeDifference,
  type FeatureRecipe,
  type PictureBatch,
} from '@convbase/data';
import { InputMeter, type Dataset, type EvaluateConfig, type Model, type Precision } from '@convbase/layers';
import { Classifier, headLoss, isClassifier, openClassifier } from '@convbase/models';
import type { Command } from 'commander';
import { isFeatureFolder } from '../jobs/features-of.ts';
import { openPictures, pictureOptionNames, withPictureOptions, type PictureFlags } from '../jobs/pictures.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { waitingOf } from '../terminal/input.ts';
import {
  refuseOptions,
  withCommonOptions,
  withPrecision,
  type CommonOptions,
  type PrecisionFlag,
} from '../terminal/options.ts';
import { printResult } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';

interface EvaluateFlags extends PictureFlags, CommonOptions, PrecisionFlag {
  readonly weights?: string;
}

/** `convbase evaluate`: loss and accuracy of a classifier. */
export function addEvaluate(program: Command, invocation: Invocation): void {
  const command = program
    .command('evaluate')
    .argument('<classifier>', 'file or folder of a trained classifier')
    .argument(
      '<features-or-dir>',
      'a folder of pictures or, for a classifier folder, one from `convbase extract`',
    )
    .summary('judge a classifier')
    .description('Prints the loss and accuracy of a classifier on features or pictures.')
    .option(
      '--weights <path>',
      "for a classifier folder: the base's weight file, where it is not where it was",
    )
    .addHelpText(
      'after',
      '\nExamples:\n  convbase evaluate pets.keras test-pictures/\n  convbase evaluate classifier/ features-test/',
    );
  withCommonOptions(withPictureOptions(withPrecision(command), 'test'), { gpu: true }).action(
    async (classifier: string, path: string, flags: EvaluateFlags) => {
      await checkOptions(classifier, path, command);
      await evaluate(classifier, path, flags, invocation.signal);
    },
  );
}

/** What is to be judged, opened before any GPU. */
interface Task {
  readonly model: Model;
  readonly classCount: number;
  readonly data: Dataset;
  readonly what: 'pictures' | 'features';
  /** How many samples there were, known at the end: pictures may be skipped. */
  samples(): number;
  /** Closes files and ends what is shown. */
  close(): Promise<void>;
}

/** Refuses options that would be passed over without a word. */
async function checkOptions(classifier: string, path: string, command: Command): Promise<void> {
  const fix = 'Leave it out.';
  if (await isFeatureFolder(path)) {
    const why = 'features are judged as they are, all of them, and without the base';
    refuseOptions(command, [...pictureOptionNames, 'weights'], why, fix);
  } else if ((await exists(classifier)) && !(await exists(join(classifier, 'classifier.json')))) {
    refuseOptions(command, ['weights'], 'a classifier in one file has its weights in it', fix);
  }
}

async function evaluate(
  classifier: string,
  path: string,
  flags: EvaluateFlags,
  signal: AbortSignal,
): Promise<void> {
  const task = (await isFeatureFolder(path))
    ? await onFeatures(await loadHead(classifier), path)
    : await onPictures(classifier, path, flags, signal);
  const meter = new InputMeter();
  const { loss, accuracy, adapter } = await withTidying(
    () =>
      usingGpu(flags, signal, async (gpu) => ({
        ...(await judge(task, gpu, flags.precision, { signal, meter })),
        adapter: gpu.adapter,
      })),
    () => task.close(),
  );
  const samples = task.samples();
  const { input, lines } = waitingOf(meter, task.what, adapter);
  printResult(
    flags.json,
    { loss, accuracy, samples, adapter: adapter.name, input },
    `loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}  (${samples} pictures)`,
    ...lines,
  );
}

/** The classifier of a folder, which alone can judge features. */
async function loadHead(folder: string): Promise<Classifier> {
  if ((await exists(folder)) && !(await exists(join(folder, 'classifier.json')))) {
    throw new ConvbaseError('usage/classifier', 'it is no classifier that works on features', {
      where: folder,
      fix: 'Name a folder that `convbase train` wrote first, then the features; or give pictures.',
    });
  }
  return Classifier.load(folder);
}

/** Loss and accuracy of a model, which is freed afterwards. */
async function judge(
  { model, classCount, data }: Task,
  gpu: Gpu,
  precision: Precision = 'float32',
  how: EvaluateConfig = {},
): Promise<{ loss: number; accuracy: number }> {
  model.precision = precision;
  model.to(gpu).compile({ optimizer: 'sgd', loss: headLoss(classCount), metrics: ['accuracy'] });
  try {
    const { loss = NaN, accuracy = NaN } = await model.evaluate(data, how);
    return { loss, accuracy };
  } finally {
    model.dispose();
  }
}

async function onFeatures({ head, config }: Classifier, path: string): Promise<Task> {
  const features = await Features.open(path);
  try {
    const { manifest } = features;
    // Another precision rounds otherwise, and is nothing that a classifier would have to be told.
    const { source, precision } = manifest;
    const trainedOn: FeatureRecipe = { ...config, source, ...(precision && { precision }) };
    const difference = recipeDifference(trainedOn, manifest, { source: false });
    if (difference !== undefined) {
      throw new ConvbaseError(
        'features/mix',
        `these features were made in another way than those the classifier was trained on (${difference})`,
        { where: path, fix: 'Extract them in the same way.' },
      );
    }
    return {
      model: head,
      classCount: config.classNames.length,
      data: featureBatches(features, { batchSize: 128 }),
      what: 'features',
      samples: () => features.rowCount,
      close: () => features.close(),
    };
  } catch (error) {
    await afterFailure(() => features.close());
    throw error;
  }
}

/** Pictures go through the whole model batch by batch; nothing is written. */
async function onPictures(
  classifier: string,
  path: string,
  flags: EvaluateFlags,
  signal: AbortSignal,
): Promise<Task> {
  if ((await exists(classifier)) && !(await isClassifier(classifier))) {
    throw new ConvbaseError('usage/classifier', 'it is no classifier', {
      where: classifier,
      fix: 'Name a classifier first (a folder that `convbase train` wrote, or its file), then features or pictures.',
    });
  }
  const { onBadImage, weights } = flags;
  const progress = createProgress('evaluate');
  const where = weights === undefined ? {} : { weights };
  const { model, info } = await openClassifier(classifier, { ...where, onStatus: progress.say, signal });
  const { classNames, input } = info;
  const set = await openPictures(path, { ...flags, preferred: 'test', classNames });
  const [height, width] = input.size;
  const pictures = pictureBatches(set, {
    size: { height, width },
    resize: input.resize,
    preprocess: input.preprocess,
    onBadImage,
    onSkip: (error) => {
      progress.say(`skipped: ${error.message.split('\n')[0] ?? ''}`);
    },
    signal,
  });
  async function* batches(): AsyncGenerator<PictureBatch> {
    progress.update(0, set.length);
    for await (const batch of pictures.batches(0)) {
      yield batch;
      progress.update((batch.indices.at(-1) ?? 0) + 1, set.length);
    }
  }
  return {
    model,
    classCount: classNames.length,
    data: { batches },
    what: 'pictures',
    samples: () => pictures.sampleCount,
    close: () => {
      progress.stop();
      return Promise.resolve();
    },
  };
}
