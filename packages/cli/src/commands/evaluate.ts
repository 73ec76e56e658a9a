import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { featureBatches, Features, recipeDifference, type FeatureRecipe } from '@convbase/data';
import { Classifier, headLoss, openClassifierBase } from '@convbase/models';
import type { Command } from 'commander';
import { extractBatches } from '../jobs/extraction.ts';
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
    .argument('<classifier>', 'folder from `convbase train`')
    .argument('<features-or-dir>', 'folder from `convbase extract`, or a folder of pictures')
    .summary('judge a classifier')
    .description('Prints the loss and accuracy of a classifier on features or pictures.')
    .option('--weights <path>', "the base's weight file, where it is not where it was")
    .addHelpText('after', '\nExample:\n  convbase evaluate classifier/ test-pictures/');
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
  folder: string,
  path: string,
  flags: EvaluateFlags,
  signal: AbortSignal,
): Promise<void> {
  if (existsSync(folder) && !existsSync(join(folder, 'classifier.json'))) {
    throw new ConvbaseError('usage/classifier', 'it is no classifier', {
      where: folder,
      fix: 'Name a folder that `convbase train` wrote first, then the features or pictures.',
    });
  }
  const classifier = await Classifier.load(folder);
  const { head, config } = classifier;
  await usingGpu(flags, signal, async (gpu) => {
    head.to(gpu);
    head.compile({ optimizer: 'sgd', loss: headLoss(config.classNames.length), metrics: ['accuracy'] });
    try {
      const { loss, accuracy, samples } = isFeatureFolder(path)
        ? await onFeatures(classifier, path, signal)
        : await onPictures(classifier, path, flags, gpu, signal);
      printResult(
        flags.json,
        { loss, accuracy, samples, adapter: gpu.adapter.name },
        `loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}  (${samples} pictures)`,
      );
    } finally {
      head.dispose();
    }
  });
}

async function onFeatures(
  { head, config }: Classifier,
  path: string,
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
    const { loss = NaN, accuracy = NaN } = await head.evaluate(featureBatches(features, { batchSize: 128 }), {
      signal,
    });
    return { loss, accuracy, samples: features.rowCount };
  } finally {
    await features.close();
  }
}

/** Pictures go through base and head batch by batch; nothing is written. */
async function onPictures(
  classifier: Classifier,
  path: string,
  flags: EvaluateFlags,
  gpu: Gpu,
  signal: AbortSignal,
): Promise<Judgement> {
  const { input, classNames } = classifier.config;
  const { onBadImage, weights } = flags;
  const progress = createProgress('evaluate');
  const set = await openPictures(path, { ...flags, preferred: 'test', classNames });
  const base = await openClassifierBase(classifier, {
    ...(weights === undefined ? {} : { weights }),
    onStatus: progress.say,
    signal,
  });
  let samples = 0;
  const extraction = { base, input, gpu, batchSize: 32, onBadImage, progress, signal };
  async function* batches(): AsyncGenerator<{ x: { data: Float32Array; shape: number[] }; y: LabelRows }> {
    for await (const { features, shape, batch } of extractBatches(set, extraction)) {
      samples += batch.indices.length;
      yield { x: { data: features, shape: [...shape] }, y: batch.y };
    }
  }
  try {
    const { loss = NaN, accuracy = NaN } = await classifier.head.evaluate({ batches }, { signal });
    return { loss, accuracy, samples };
  } finally {
    progress.stop();
    base.model.dispose();
  }
}

/** `[n, 1]` for two classes, `[n, classes]` one-hot otherwise. */
interface LabelRows {
  readonly data: Float32Array;
  readonly shape: number[];
}
