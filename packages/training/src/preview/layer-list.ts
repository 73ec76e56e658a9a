import { ConvbaseError } from '@convbase/base';
import {
  RandomBrightness,
  RandomContrast,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  type AugmentationLayer,
  type Factor,
} from '@convbase/layers';

/** What a layer is called in a list, and how it is made of its arguments. */
const makers: Readonly<
  Record<string, { usage: string; make(args: readonly string[]): AugmentationLayer | null }>
> = {
  flip: {
    usage: 'flip[:horizontal|vertical|both]',
    make: ([mode = 'both', ...more]) => {
      const known = {
        horizontal: 'horizontal',
        vertical: 'vertical',
        both: 'horizontal_and_vertical',
      } as const;
      if (!Object.hasOwn(known, mode) || more.length > 0) return null;
      return new RandomFlip({ mode: known[mode as keyof typeof known] });
    },
  },
  rotation: {
    usage: 'rotation:TURNS',
    make: (args) => withFactors(args, 1, (factor) => new RandomRotation({ factor })),
  },
  zoom: {
    usage: 'zoom:HEIGHT[:WIDTH]',
    make: (args) =>
      withFactors(args, 2, (heightFactor, widthFactor) =>
        widthFactor === undefined
          ? new RandomZoom({ heightFactor })
          : new RandomZoom({ heightFactor, widthFactor }),
      ),
  },
  translation: {
    usage: 'translation:HEIGHT[:WIDTH]',
    make: (args) =>
      withFactors(
        args,
        2,
        (heightFactor, widthFactor = heightFactor) => new RandomTranslation({ heightFactor, widthFactor }),
      ),
  },
  contrast: {
    usage: 'contrast:FACTOR',
    make: (args) => withFactors(args, 1, (factor) => new RandomContrast({ factor })),
  },
  brightness: {
    usage: 'brightness:FACTOR',
    make: (args) => withFactors(args, 1, (factor) => new RandomBrightness({ factor })),
  },
};

/** How a list of augmentation layers is written. */
export const layerListUsage = Object.values(makers)
  .map(({ usage }) => usage)
  .join(', ');

/**
 * Keras' augmentation layers from a line such as `flip:horizontal,rotation:0.1,zoom:-0.2..0.3`: names with their
 * factors; `low..high` gives both limits. Layers for pictures of 0 to 255.
 *
 * @throws ConvbaseError `augment/layers` for a line that cannot be read, `layer/factor` for an impossible factor
 */
export function parseLayerList(text: string): AugmentationLayer[] {
  return text.split(',').map((item) => {
    const [name = '', ...args] = item.trim().split(':');
    const maker = Object.hasOwn(makers, name) ? makers[name] : undefined;
    const layer = maker?.make(args);
    if (layer) return layer;
    throw new ConvbaseError('augment/layers', `'${item.trim()}' is no augmentation layer`, {
      fix: `Write ${maker?.usage ?? layerListUsage}, where a factor is a number or low..high.`,
    });
  });
}

function withFactors(
  args: readonly string[],
  most: number,
  make: (first: Factor, second?: Factor) => AugmentationLayer,
): AugmentationLayer | null {
  const [first, second, ...more] = args.map(factorOf);
  if (first === undefined || more.length > 0 || (most === 1 && second !== undefined)) return null;
  if (first === null || second === null) return null;
  return make(first, second);
}

function factorOf(text: string): Factor | null {
  const numbers = text.split('..').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [low, high, ...more] = numbers;
  if (low === undefined || more.length > 0 || !numbers.every(Number.isFinite)) return null;
  return high === undefined ? low : [low, high];
}
