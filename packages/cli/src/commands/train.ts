import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { featureBatches, recipeDifference, type Features } from '@convbase/data';
import type { ActivationName, Callback } from '@convbase/layers';
import { Classifier, openBase, trainHead, type Base, type ClassifierConfig } from '@convbase/models';
import { Option, type Command } from 'commander';
import { inputConfig, withBaseOptions, type BaseFlags, type InputConfig } from '../jobs/base-options.ts';
import { featuresOf, removeScratch } from '../jobs/features-of.ts';
import type { ExitState } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { numberBetween, wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';

interface TrainFlags extends BaseFlags, CommonOptions {
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
export function addTrain(program: Command, _state: ExitState): void {
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
  withBaseOptions(command)
    .option('--validation <dir>', 'features or pictures to judge each epoch by')
    .option('--units <n>', 'units of the hidden dense layer, 0 for none', wholeNumber(0), 256)
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
  withCommonOptions(command, { gpu: true }).action((paths: string[], flags: TrainFlags) =>
    train(paths, flags),
  );
}

async function train(paths: readonly string[], flags: TrainFlags): Promise<void> {
  if (existsSync(join(flags.out, 'manifest.json'))) {
    throw new ConvbaseError('usage/out', 'it is a folder of features', {
      where: flags.out,
      fix: 'Give the classifier a folder of its own.',
    });
  }
  await interruptible((signal) =>
    usingGpu(flags, async (gpu) => {
      const progress = createProgress('extract');
      const scratch = `${flags.out}.features`;
      let opened: Promise<{ base: Base; input: InputConfig }> | undefined;
      const extractor = {
        gpu,
        open: () => (opened ??= openFlaggedBase(flags, progress, signal)),
        batchSize: 32,
        onBadImage: flags.onBadImage,
        ...(flags.split ? { split: flags.split } : {}),
        ...(flags.limit === undefined ? {} : { limit: flags.limit }),
        progress,
        signal,
        scratch,
      };
      const features = await featuresOf(paths, extractor);
      const validation =
        flags.validation === undefined ? undefined : await featuresOf([flags.validation], extractor);
      progress.stop();
      (await opened)?.base.model.dispose();
      try {
        await trainOn(gpu, features, validation, flags, signal);
      } finally {
        await features.close();
        await validation?.close();
      }
      await removeScratch(scratch);
    }),
  );
}

async function openFlaggedBase(
  flags: TrainFlags,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ base: Base; input: InputConfig }> {
  if (flags.model === undefined) {
    throw new ConvbaseError('usage/model', 'to train straight from pictures a model must be named', {
      fix: 'Add --model, such as --model inception_v3; or extract features first.',
    });
  }
  const base = await openBase(flags.model, {
    ...(flags.weights === undefined ? {} : { weights: flags.weights }),
    ...(flags.layer === undefined ? {} : { layer: flags.layer }),
    onStatus: progress.say,
    signal,
  });
  return { base, input: inputConfig(base, flags) };
}

async function trainOn(
  gpu: Gpu,
  features: Features,
  validation: Features | undefined,
  flags: TrainFlags,
  signal: AbortSignal,
): Promise<void> {
  const { manifest } = features;
  if (validation) {
    const difference = recipeDifference(manifest, validation.manifest, { source: false });
    if (difference !== undefined) {
      throw new ConvbaseError(
        'features/mix',
        `validation and training features were made differently (${difference})`,
        {
          where: flags.validation ?? 'validation',
          fix: 'Extract both with the same model, weights, layer, size, preprocessing and resize mode.',
        },
      );
    }
  }
  const classCount = manifest.classNames.length;
  if (classCount < 2) {
    throw new ConvbaseError('data/one-class', 'there is only one class to learn', {
      fix: 'Add pictures of another class.',
    });
  }
  const { batchSize, seed, epochs, units, activation, dropout } = flags;
  const progress = createProgress('train');
  const { head, history, learningRate } = await trainHead({
    gpu,
    dataset: featureBatches(features, { batchSize, shuffle: true, seed }),
    ...(validation ? { validationData: featureBatches(validation, { batchSize: 128 }) } : {}),
    featureShape: manifest.featureShape,
    classCount,
    units,
    activation,
    dropout,
    optimizer: flags.optimizer,
    ...(flags.learningRate === undefined ? {} : { learningRate: flags.learningRate }),
    epochs,
    seed,
    callbacks: [epochProgress(progress, epochs)],
    signal,
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
  if (flags.json)
    console.log(
      JSON.stringify({ out: flags.out, classNames: manifest.classNames, ...last, history: history.history }),
    );
  else console.log(`classifier for ${manifest.classNames.join(', ')} in ${flags.out}`);
}

/** A bar over all batches of all epochs, and a line for each epoch. */
function epochProgress(progress: Progress, epochs: number): Callback {
  return {
    onProgress: ({ epoch, batch, batchCount = 1, logs }) => {
      progress.update(epoch * batchCount + batch, epochs * batchCount, formatLogs(logs));
    },
    onEpochEnd: (epoch, logs) => {
      progress.say(`epoch ${epoch + 1}/${epochs}  ${formatLogs(logs)}`);
    },
  };
}

function formatLogs(logs: Readonly<Record<string, number>>): string {
  return Object.entries(logs)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join('  ');
}
