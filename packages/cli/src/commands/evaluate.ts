import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { featureBatches } from '@convbase/data';
import { Classifier, headLoss, type Base } from '@convbase/models';
import { Option, type Command } from 'commander';
import { classifierBase } from '../jobs/classifier-base.ts';
import { featuresOf, removeScratch } from '../jobs/features-of.ts';
import type { ExitState } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { createProgress } from '../terminal/progress.ts';

interface EvaluateFlags extends CommonOptions {
  readonly weights?: string;
  readonly split?: 'train' | 'test';
  readonly limit?: number;
  readonly onBadImage: 'refuse' | 'skip';
}

/** `convbase evaluate`: loss and accuracy of a classifier. */
export function addEvaluate(program: Command, _state: ExitState): void {
  const command = program
    .command('evaluate')
    .argument('<classifier>', 'folder from `convbase train`')
    .argument('<features-or-dir>', 'folder from `convbase extract`, or a folder of pictures')
    .summary('judge a classifier')
    .description('Prints the loss and accuracy of a classifier on features or pictures.')
    .option('--weights <path>', "the base's weight file, where it is not where it was")
    .addOption(
      new Option('--split <part>', 'which part of an MNIST folder')
        .choices(['train', 'test'])
        .default('test'),
    )
    .option('--limit <n>', 'only the first n pictures', wholeNumber(1))
    .addOption(
      new Option('--on-bad-image <what>', 'what to do with pictures that cannot be read')
        .choices(['refuse', 'skip'])
        .default('refuse'),
    )
    .addHelpText('after', '\nExample:\n  convbase evaluate classifier/ test-pictures/');
  withCommonOptions(command, { gpu: true }).action((folder: string, path: string, flags: EvaluateFlags) =>
    evaluate(folder, path, flags),
  );
}

async function evaluate(folder: string, path: string, flags: EvaluateFlags): Promise<void> {
  const classifier = await Classifier.load(folder);
  const { config, head } = classifier;
  await interruptible((signal) =>
    usingGpu(flags, async (gpu) => {
      const progress = createProgress('extract');
      const scratch = await mkdtemp(join(tmpdir(), 'convbase-'));
      let opened: Base | undefined;
      try {
        const features = await featuresOf([path], {
          ...flags,
          gpu,
          open: async () => {
            opened = await classifierBase(classifier, flags.weights, { onStatus: progress.say, signal });
            return { base: opened, input: config.input };
          },
          batchSize: 32,
          classNames: config.classNames,
          progress,
          signal,
          scratch,
        });
        progress.stop();
        opened?.model.dispose();
        const { manifest } = features;
        const { base, input, classNames, featureShape } = config;
        for (const [what, ours, theirs] of [
          ['classes', classNames, manifest.classNames],
          ['weights (SHA-256)', base.checksum, manifest.base.checksum],
          ['layer', base.layer, manifest.base.layer],
          ['preprocessing', input, manifest.input],
          ['shape', featureShape, manifest.featureShape],
        ] as const) {
          if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
          throw new ConvbaseError(
            'features/mix',
            `its ${what} ${JSON.stringify(theirs)} are not the classifier's ${JSON.stringify(ours)}`,
            {
              where: path,
              fix: 'Extract the features as those that the classifier was trained on.',
            },
          );
        }
        head.to(gpu);
        head.compile({ optimizer: 'sgd', loss: headLoss(classNames.length), metrics: ['accuracy'] });
        const dataset = featureBatches(features, { batchSize: 128 });
        const { loss = NaN, accuracy = NaN } = await head.evaluate(dataset, { signal });
        const samples = features.rowCount;
        await features.close();
        head.dispose();
        if (flags.json) console.log(JSON.stringify({ loss, accuracy, samples, adapter: gpu.adapter.name }));
        else console.log(`loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}  (${samples} pictures)`);
      } finally {
        progress.stop();
        await removeScratch(scratch);
      }
    }),
  );
}
