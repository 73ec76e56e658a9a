import { ConvbaseError } from '@convbase/base';
import type { FillMode, ImageTransform } from '@convbase/core-gpu';
import { uniformAt } from '../layers/random.ts';
import type { Dataset, HostArray } from '../tensor/host-array.ts';
import type { ImageSize } from './affine.ts';
import { flowTransforms } from './flow.ts';
import { imageTransform, type TransformParameters } from './transform-parameters.ts';

/** Keras' parameters of `ImageDataGenerator`, camel case; what is left out does nothing. */
export interface ImageDataGeneratorConfig {
  /** 1/255, instead of the dataset's own `preprocess`. */
  readonly rescale?: number;
  /** Degrees: the angle is drawn from -rotationRange to rotationRange. */
  readonly rotationRange?: number;
  /**
   * A fraction below 1: of the width, drawn from -widthShiftRange to widthShiftRange. A fraction above 1: the same in
   * pixels. A whole number n: one of 0, 1, .. n - 1 pixels to either side. A list: one of its elements to either
   * side, fractions where all are below 1.
   *
   * As Keras composes them, the shift drawn from `widthShiftRange` moves the picture vertically and the one from
   * `heightShiftRange` horizontally, each by a fraction of the side that names it.
   */
  readonly widthShiftRange?: number | readonly number[];
  readonly heightShiftRange?: number | readonly number[];
  /** The factor is drawn from these two; 1 leaves a picture as it is. */
  readonly brightnessRange?: readonly [low: number, high: number];
  /** Degrees: the angle is drawn from -shearRange to shearRange. (0.2 is next to nothing.) */
  readonly shearRange?: number;
  /** z: both factors are drawn from 1 - z to 1 + z, each for itself; or the two limits. Above 1 shrinks. */
  readonly zoomRange?: number | readonly [low: number, high: number];
  /** Grey levels: the shift of all channels is drawn from -channelShiftRange to channelShiftRange. */
  readonly channelShiftRange?: number;
  /** `'nearest'` when left out. */
  readonly fillMode?: FillMode;
  /** What fills in fill mode `'constant'`; 0 when left out. */
  readonly cval?: number;
  readonly horizontalFlip?: boolean;
  readonly verticalFlip?: boolean;
  /** 1 (bilinear) when left out, or 0 (the nearest pixel). */
  readonly interpolationOrder?: 0 | 1;
  /** Another seed draws other transforms; 0 when left out. */
  readonly seed?: number;
}

/**
 * Keras' `ImageDataGenerator`: random transforms of training pictures, to the meaning of every parameter.
 *
 * It only draws numbers; `flow` puts them onto the batches and the GPU applies them when a batch is uploaded. What is
 * drawn for a picture depends on the seed, the epoch and the picture's place in the dataset and on nothing else, so
 * neither batch size nor order nor an interruption changes it.
 *
 * Throws `augment/option` for values that Keras would refuse or that mean nothing.
 */
export class ImageDataGenerator {
  readonly config: ImageDataGeneratorConfig;
  readonly #zoom: readonly [number, number];

  constructor(config: ImageDataGeneratorConfig = {}) {
    this.config = config;
    const { zoomRange = 0 } = config;
    this.#zoom = typeof zoomRange === 'number' ? [1 - zoomRange, 1 + zoomRange] : zoomRange;
    checkConfig(config);
  }

  /**
   * The parameters for one picture of that size, drawn from a stream that the numbers in `seed` begin; the
   * generator's own seed is not among them.
   */
  getRandomTransform({ height, width }: ImageSize, ...seed: readonly number[]): TransformParameters {
    let drawn = 0;
    const random = (): number => uniformAt(...seed, drawn++);
    const uniform = (low: number, high: number): number => low + (high - low) * random();
    const { rotationRange = 0, shearRange = 0, channelShiftRange = 0, brightnessRange } = this.config;
    const symmetric = (range: number): number => (range === 0 ? 0 : uniform(-range, range));
    const [zoomLow, zoomHigh] = this.#zoom;
    const zoomed = zoomLow !== 1 || zoomHigh !== 1;
    return {
      theta: symmetric(rotationRange),
      tx: drawShift(this.config.heightShiftRange ?? 0, height, random),
      ty: drawShift(this.config.widthShiftRange ?? 0, width, random),
      shear: symmetric(shearRange),
      zx: zoomed ? uniform(zoomLow, zoomHigh) : 1,
      zy: zoomed ? uniform(zoomLow, zoomHigh) : 1,
      flipHorizontal: random() < 0.5 && this.config.horizontalFlip === true,
      flipVertical: random() < 0.5 && this.config.verticalFlip === true,
      channelShiftIntensity: channelShiftRange === 0 ? null : symmetric(channelShiftRange),
      brightness: brightnessRange === undefined ? null : uniform(...brightnessRange),
    };
  }

  /** What the GPU is to do for these parameters. */
  imageTransform(parameters: TransformParameters, size: ImageSize): ImageTransform {
    const { fillMode = 'nearest', cval = 0, interpolationOrder = 1 } = this.config;
    const interpolation = interpolationOrder === 0 ? 'nearest' : 'bilinear';
    return imageTransform(parameters, size, { fillMode, cval, interpolation });
  }

  /** The transform for one picture in one epoch. */
  transformOf(size: ImageSize, epoch: number, ...picture: readonly number[]): ImageTransform {
    return this.imageTransform(this.getRandomTransform(size, this.config.seed ?? 0, epoch, ...picture), size);
  }

  /**
   * The dataset with a random transform on every picture, another one in every epoch. For training only: validation
   * data stays as it is. Batches have one input of uint8 pictures (`augment/input` otherwise).
   *
   * A picture is known by `batch.indices`; where a dataset has none, by its place in the epoch.
   */
  flow(dataset: Dataset): Dataset {
    return flowTransforms(
      dataset,
      'ImageDataGenerator',
      (size, epoch, picture) => [this.transformOf(size, epoch, ...picture)],
      (x) => ({ ...x, ...this.#preprocess(x) }),
    );
  }

  #preprocess(x: HostArray): Pick<HostArray, 'preprocess'> {
    if (this.config.rescale === undefined) return {};
    if (x.preprocess === undefined || x.preprocess === 'none' || x.preprocess === 'rescale') {
      return { preprocess: 'rescale' };
    }
    throw new ConvbaseError(
      'augment/option',
      `rescale and '${x.preprocess}' preprocessing cannot both be applied`,
      {
        where: 'ImageDataGenerator',
        fix: 'Leave out rescale: the dataset says how its pictures are scaled.',
      },
    );
  }
}

/**
 * A shift in pixels. Keras: `np.random.choice(range) * choice([-1, 1])` for whole numbers and lists, else uniform;
 * times the side where all of the range is below 1.
 */
function drawShift(range: number | readonly number[], side: number, random: () => number): number {
  if (range === 0) return 0;
  if (typeof range === 'number' && !Number.isInteger(range))
    return (2 * random() - 1) * range * (range < 1 ? side : 1);
  const chosen =
    typeof range === 'number'
      ? Math.floor(random() * range)
      : (range[Math.floor(random() * range.length)] ?? 0) * (range.every((value) => value < 1) ? side : 1);
  return random() < 0.5 ? -chosen : chosen;
}

function checkConfig(config: ImageDataGeneratorConfig): void {
  const fail = (name: keyof ImageDataGeneratorConfig, fix: string): never => {
    throw new ConvbaseError('augment/option', `${name} is ${JSON.stringify(config[name])}`, {
      where: 'ImageDataGenerator',
      fix,
    });
  };
  for (const name of ['rotationRange', 'shearRange', 'channelShiftRange', 'cval'] as const) {
    if (!Number.isFinite(config[name] ?? 0)) fail(name, 'Give a number.');
  }
  for (const name of ['widthShiftRange', 'heightShiftRange'] as const) {
    const range = config[name] ?? 0;
    if (
      typeof range === 'number'
        ? !(range >= 0 && range < Infinity)
        : range.length === 0 || !range.every(Number.isFinite)
    ) {
      fail(name, 'Give a fraction, a number of pixels, or a list of either.');
    }
  }
  for (const name of ['zoomRange', 'brightnessRange'] as const) {
    const range: number | readonly number[] = config[name] ?? 0;
    if (
      typeof range === 'number'
        ? !Number.isFinite(range)
        : range.length !== 2 || !range.every(Number.isFinite)
    ) {
      fail(name, name === 'zoomRange' ? 'Give a number or two.' : 'Give two numbers.');
    }
  }
  if (config.rescale !== undefined && Math.abs(config.rescale * 255 - 1) > 1e-6) {
    fail('rescale', 'Only 1/255 is done here; put a Rescaling layer into the model for other factors.');
  }
  if (config.brightnessRange !== undefined && !((config.cval ?? 0) >= 0 && (config.cval ?? 0) <= 255)) {
    fail('cval', 'With brightnessRange, give a grey level of 0 to 255.');
  }
  if (!Number.isSafeInteger(config.seed ?? 0)) fail('seed', 'Give a whole number.');
}
