import { ConvbaseError } from '@convbase/base';
import { writeFileAtomic } from '@convbase/base/node';
import { encodePicture, resizeModes, type EncodedFormat, type ResizeMode } from '@convbase/data';
import {
  augmentWithLayers,
  ImageDataGenerator,
  type Dataset,
  type FillMode,
  type ImageDataGeneratorConfig,
} from '@convbase/layers';
import { augmentationPreview, layerListUsage, parseLayerList } from '@convbase/training';
import { Option, type Command } from 'commander';
import { extname } from 'node:path';
import { openPictures } from '../jobs/pictures.ts';
import type { Invocation } from '../program.ts';
import { usingGpu } from '../terminal/gpu.ts';
import {
  numberBetween,
  numberList,
  pictureSize,
  wholeNumber,
  withCommonOptions,
  type CommonOptions,
} from '../terminal/options.ts';
import { printResult } from '../terminal/print.ts';

/** The parameters of ImageDataGenerator as flags. */
interface GeneratorFlags {
  readonly rotationRange?: number;
  readonly widthShiftRange?: readonly number[];
  readonly heightShiftRange?: readonly number[];
  readonly shearRange?: number;
  readonly zoomRange?: readonly number[];
  readonly channelShiftRange?: number;
  readonly brightnessRange?: readonly number[];
  readonly horizontalFlip?: true;
  readonly verticalFlip?: true;
  readonly fillMode?: FillMode;
  readonly cval?: number;
}

interface AugmentFlags extends GeneratorFlags, CommonOptions {
  readonly preview: string;
  readonly layers?: string;
  readonly count: number;
  readonly variants: number;
  readonly original?: true;
  readonly size?: readonly [number, number];
  readonly resize: ResizeMode;
  readonly seed: number;
}

const formats: Readonly<Record<string, EncodedFormat>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
};

const atLeastZero = numberBetween(0, Infinity, true);

/** `convbase augment`: what random transforms make of pictures, as a picture to look at. */
export function addAugment(program: Command, invocation: Invocation): void {
  const command = program
    .command('augment')
    .argument('<dir>', 'folder with one folder of pictures for each class, or with MNIST idx files')
    .summary('look at augmented pictures')
    .description(
      "Draws a grid of augmented pictures: with the parameters of Keras' ImageDataGenerator, " +
        'or with its augmentation layers.',
    )
    .requiredOption('--preview <file>', 'the grid to write: a .png, .jpg or .webp file')
    .option('--count <n>', 'how many pictures of the folder, an equal share of each class', wholeNumber(1), 1)
    .option('--variants <n>', 'how many variants of each', wholeNumber(1), 9)
    .option('--original', 'show each picture itself, too')
    .option('--size <pixels>', 'side, or height x width such as 150x200; default 180', pictureSize)
    .addOption(
      new Option('--resize <mode>', 'how pictures get their size')
        .choices([...resizeModes])
        .default('bilinear'),
    )
    .option('--seed <n>', 'another seed draws other variants', wholeNumber(0), 0)
    .option('--layers <list>', `augmentation layers: ${layerListUsage}`)
    .option('--rotation-range <degrees>', 'turn by up to so much either way', atLeastZero)
    .option('--width-shift-range <r>', 'fraction, whole number of pixels, or list', numberList)
    .option('--height-shift-range <r>', 'likewise, of the height', numberList)
    .option('--shear-range <degrees>', 'slant by up to so much either way', atLeastZero)
    .option('--zoom-range <z>', 'from 1 - z to 1 + z, or LOW,HIGH', numberList)
    .option('--channel-shift-range <levels>', 'shift all channels by up to so much', atLeastZero)
    .option('--brightness-range <low,high>', 'factor of brightness', numberList)
    .option('--horizontal-flip', 'mirror every second picture')
    .option('--vertical-flip', 'turn every second picture upside down')
    .addOption(
      new Option('--fill-mode <mode>', 'what stands outside of a picture; default nearest').choices([
        'nearest',
        'reflect',
        'wrap',
        'constant',
      ]),
    )
    .option('--cval <level>', 'what fills in mode constant; default 0', numberBetween(-Infinity, Infinity))
    .addHelpText(
      'after',
      '\nExamples:\n  convbase augment pictures/ --preview grid.png --rotation-range 40 --zoom-range 0.2 --horizontal-flip' +
        '\n  convbase augment pictures/ --preview grid.png --layers flip:horizontal,rotation:0.1,zoom:0.2 --count 4',
    );
  withCommonOptions(command, { gpu: true }).action((dir: string, flags: AugmentFlags) =>
    augment(dir, flags, invocation.signal),
  );
}

async function augment(dir: string, flags: AugmentFlags, signal: AbortSignal): Promise<void> {
  const { preview, count, variants, resize, json } = flags;
  const format = formats[extname(preview).toLowerCase()];
  if (format === undefined) {
    throw new ConvbaseError('usage/format', 'the name says no picture format', {
      where: preview,
      fix: `Let it end with ${Object.keys(formats).join(', ')}.`,
    });
  }
  const augmentation = augmentationOf(flags);
  const pictures = await openPictures(dir, { limit: count, onBadImage: 'refuse', preferred: 'train' });
  const [height, width] = flags.size ?? [180, 180];
  const grid = await usingGpu(flags, signal, (gpu) =>
    augmentationPreview(gpu, pictures, {
      augment: augmentation,
      size: { height, width },
      resize,
      variants,
      original: flags.original ?? false,
      signal,
    }),
  );
  await writeFileAtomic(preview, await encodePicture(grid, format));
  printResult(
    json,
    { preview, pictures: pictures.length, variants, width: grid.width, height: grid.height },
    `${variants} variants of ${pictures.length} ${pictures.length === 1 ? 'picture' : 'pictures'} in ${preview}`,
  );
}

function augmentationOf(flags: AugmentFlags): (pictures: Dataset) => Dataset {
  const { layers, seed } = flags;
  const generator = generatorConfig(flags);
  const given = Object.keys(generator).length > 0;
  if ((layers === undefined) !== given) {
    throw new ConvbaseError(
      'usage/augmentation',
      given
        ? 'layers and parameters of the generator cannot be mixed'
        : 'nothing is to be done to the pictures',
      { fix: 'Give --layers, or parameters such as --rotation-range 40 --horizontal-flip.' },
    );
  }
  if (layers === undefined) {
    const drawing = new ImageDataGenerator({ ...generator, seed });
    return (pictures) => drawing.flow(pictures);
  }
  const list = parseLayerList(layers);
  return (pictures) => augmentWithLayers(pictures, list, { seed });
}

/** What of the flags is for the generator, in its own terms. */
function generatorConfig(flags: GeneratorFlags): ImageDataGeneratorConfig {
  const { rotationRange, shearRange, channelShiftRange, horizontalFlip, verticalFlip, fillMode, cval } =
    flags;
  const config = {
    rotationRange,
    widthShiftRange: oneOrList(flags.widthShiftRange),
    heightShiftRange: oneOrList(flags.heightShiftRange),
    shearRange,
    zoomRange: oneOrList(flags.zoomRange),
    channelShiftRange,
    brightnessRange: flags.brightnessRange,
    horizontalFlip,
    verticalFlip,
    fillMode,
    cval,
  };
  // Ranges of the wrong length are the generator's to refuse.
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

function oneOrList(numbers: readonly number[] | undefined): number | readonly number[] | undefined {
  return numbers?.length === 1 ? numbers[0] : numbers;
}
