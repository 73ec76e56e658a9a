import { ConvbaseError } from '@convbase/base';
import {
  Dense,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  Model,
  NameScope,
  input,
  type Dimension,
  type PreprocessMode,
  type SymbolicTensor,
} from '@convbase/layers';

/** What distinguishes one pretrained network from another. */
export interface Architecture {
  /** Keras' module name, `inception_v3`. */
  readonly id: string;
  /** `InceptionV3`. */
  readonly title: string;
  /** How its weights expect pictures to be turned into numbers. */
  readonly preprocess: PreprocessMode;
  /** Height and width of the pictures its classifier was trained on. */
  readonly defaultSize: number;
  /** The least height and width that leave at least one pixel at the end. */
  readonly minSize: number;
  /** Whether the layer made for `pooling` is called `avg_pool` or `max_pool` rather than by its class. */
  readonly namedPooling: boolean;
  /** The layers up to the last feature map. */
  base(image: SymbolicTensor, names: NameScope): SymbolicTensor;
  /** The layers between the last feature map and the final dense layer. */
  top(features: SymbolicTensor): SymbolicTensor;
}

/** What a caller may choose; names and defaults are Keras'. */
export interface ArchitectureOptions {
  /** Whether the classifier of the original belongs to it. Default true. */
  readonly includeTop?: boolean;
  /**
   * [height, width, channels]; null stands for any size, so that one model serves all. Default: the original's size
   * with the top, [null, null, 3] without.
   */
  readonly inputShape?: readonly Dimension[];
  /** Without the top: what happens to the last feature map. Default null: it is the output. */
  readonly pooling?: 'avg' | 'max' | null;
  /** With the top: how many classes. Default 1000. */
  readonly classes?: number;
  /** With the top: `softmax`, or null for logits. Default `softmax`. */
  readonly classifierActivation?: 'softmax' | 'sigmoid' | null;
  /** Default: Keras' name, such as `vgg16`. */
  readonly name?: string;
}

/**
 * The layers of an architecture with initial weights, named as in a fresh Keras process.
 * @throws ConvbaseError `model/input-shape` for an input that is too small or not a picture, `model/classes`
 */
export function buildArchitecture(architecture: Architecture, options: ArchitectureOptions = {}): Model {
  const { includeTop = true, pooling = null, classes = 1000, classifierActivation = 'softmax' } = options;
  const names = new NameScope();
  const image = input({ shape: pictureShape(architecture, includeTop, options.inputShape), names });
  const features = architecture.base(image, names);
  const output = includeTop
    ? new Dense({
        units: checkClasses(architecture, classes),
        activation: classifierActivation ?? 'linear',
        name: 'predictions',
      }).apply(architecture.top(features))
    : pooled(architecture, features, pooling, names);
  return new Model({ inputs: [image], outputs: [output], name: options.name ?? architecture.id });
}

function pooled(
  { namedPooling }: Architecture,
  features: SymbolicTensor,
  pooling: 'avg' | 'max' | null,
  names: NameScope,
): SymbolicTensor {
  if (pooling === null) return features;
  const config = namedPooling ? { name: `${pooling}_pool` } : { names };
  return (pooling === 'avg' ? new GlobalAveragePooling2D(config) : new GlobalMaxPooling2D(config)).apply(
    features,
  );
}

function pictureShape(
  { title, defaultSize, minSize }: Architecture,
  includeTop: boolean,
  shape: readonly Dimension[] | undefined,
): readonly Dimension[] {
  if (shape === undefined) return includeTop ? [defaultSize, defaultSize, 3] : [null, null, 3];
  const refuse = (what: string, fix: string): never => {
    throw new ConvbaseError('model/input-shape', `the input shape [${shape.join(', ')}] ${what}`, {
      where: title,
      fix,
    });
  };
  const whole = shape.every((size) => size === null || (Number.isSafeInteger(size) && size > 0));
  if (shape.length !== 3 || !whole) refuse('is not one of pictures', 'Give [height, width, channels].');
  if (shape[2] === null) refuse('leaves the channels open', 'Give the number of channels, 3 for RGB.');
  if (shape.slice(0, 2).some((size) => size !== null && size < minSize)) {
    refuse('is too small', `Use pictures of at least ${minSize}x${minSize}.`);
  }
  if (includeTop && shape.includes(null)) {
    refuse('is open, but the classifier needs one size', 'Give a height and a width, or leave the top out.');
  }
  return shape;
}

function checkClasses({ title }: Architecture, classes: number): number {
  if (Number.isSafeInteger(classes) && classes > 0) return classes;
  throw new ConvbaseError('model/classes', `${classes} is not a number of classes`, {
    where: title,
    fix: 'Give a whole number above zero.',
  });
}
