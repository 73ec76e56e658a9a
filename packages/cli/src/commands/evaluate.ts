import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import {
  featureBatches,
  Features,
  pictureBatches,
  recipeDifference,
  type FeatureRecipe,
  type PictureBatch,
} from '@convbase/data';
import type { Dataset, Model } from '@convbase/layers';
import { Classifier, headLoss, isClassifier, openClassifier } from '@convbase/models';
import type { Command } from 'commander';
import { isFeatureFolder } from '../jobs/features-of.ts';
import { openPictures, withPictureOptions, type PictureFlags } from '../jobs/pictures.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { printResult } from '../terminal/print.ts';
import { createProgress } from '../terminal/progress.ts';

interface EvaluateFlags extends PictureFlags, CommonOptions {
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
  withCommonOptions(withPictureOptions(command, 'test'), { gpu: true }).action(
    (folder: string, path: string, flags: EvaluateFlags) => evaluate(folder, path, flags, invocation.signal),
  );
}

/** What evaluating gave. */
interface Judgement {
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
}

async function evaluate(
  classifier: string,
  path: string,
  flags: EvaluateFlags,
  signal: AbortSignal,
): Promise<void> {
  await usingGpu(flags, signal, async (gpu) => {
    const { loss, accuracy, samples } = isFeatureFolder(path)
      ? await onFeatures(await loadHead(classifier), path, gpu, signal)
      : await onPictures(classifier, path, flags, gpu, signal);
    printResult(
      flags.json,
      { loss, accuracy, samples, adapter: gpu.adapter.name },
      `loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}  (${samples} pictures)`,
    );
  });
}

/** The classifier of a folder, which alone can judge features. */
async function loadHead(folder: string): Promise<Classifier> {
  if (existsSync(folder) && !existsSync(join(folder, 'classifier.json'))) {
    throw new ConvbaseError('usage/classifier', 'it is no classifier that works on features', {
      where: folder,
      fix: 'Name a folder that `convbase train` wrote first, then the features; or give pictures.',
    });
  }
  return Classifier.load(folder);
}

/** Loss and accuracy of a model, which is freed afterwards. */
async function judge(
  model: Model,
  classCount: number,
  data: Dataset,
  gpu: Gpu,
  signal: AbortSignal,
): Promise<{ loss: number; accuracy: number }> {
  model.to(gpu).compile({ optimizer: 'sgd', loss: headLoss(classCount), metrics: ['accuracy'] });
  try {
    const { loss = NaN, accuracy = NaN } = await model.evaluate(data, { signal });
    return { loss, accuracy };
  } finally {
    model.dispose();
  }
}

async function onFeatures(
  { head, config }: Classifier,
  path: string,
  gpu: Gpu,
  signal: AbortSignal,
): Promise<Judgement> {
  const features = await Features.open(path);
  try {
    const { manifest } = features;
    const trainedOn: FeatureRecipe = { ...config, source: manifest.source };
    const difference = recipeDifference(trainedOn, manifest, { source: false });
    if (difference !== undefined) {
      throw new ConvbaseError(
        'features/mix',
        `these features were made in another way than those the classifier was trained on (${difference})`,
        { where: path, fix: 'Extract them in the same way.' },
      );
    }
    const data = featureBatches(features, { batchSize: 128 });
    const judged = await judge(head, config.classNames.length, data, gpu, signal);
    return { ...judged, samples: features.rowCount };
  } finally {
    await features.close();
  }
}

/** Pictures go through the whole model batch by batch; nothing is written. */
async function onPictures(
  classifier: string,
  path: string,
  flags: EvaluateFlags,
  gpu: Gpu,
  signal: AbortSignal,
): Promise<Judgement> {
  if (existsSync(classifier) && !(await isClassifier(classifier))) {
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
  try {
    const judged = await judge(model, classNames.length, { batches }, gpu, signal);
    return { ...judged, samples: pictures.sampleCount };
  } finally {
    progress.stop();
  }
}
