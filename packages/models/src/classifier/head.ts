import { Dense, Dropout, Flatten, NameScope, input, Model, type ActivationName } from '@convbase/layers';

export interface HeadConfig {
  /** Shape of one picture's features. */
  readonly featureShape: readonly number[];
  readonly classCount: number;
  /** Units of the hidden dense layer; 0 leaves it out. */
  readonly units: number;
  readonly activation: ActivationName;
  /** Share of the hidden units that training drops; 0 for none. */
  readonly dropout: number;
}

/**
 * The dense head that turns features into classes: Flatten, Dense(units), Dropout, and one sigmoid unit for two
 * classes or a softmax over more.
 */
export function buildHead(config: HeadConfig): Model {
  const { featureShape, classCount, units, activation, dropout } = config;
  const names = new NameScope();
  const features = input({ shape: [...featureShape], names, name: 'features' });
  let x = new Flatten({ names }).apply(features);
  if (units > 0) x = new Dense({ units, activation, names }).apply(x);
  if (dropout > 0) x = new Dropout({ rate: dropout, names }).apply(x);
  const outputs =
    classCount === 2
      ? new Dense({ units: 1, activation: 'sigmoid', name: 'predictions' }).apply(x)
      : new Dense({ units: classCount, activation: 'softmax', name: 'predictions' }).apply(x);
  return new Model({ inputs: [features], outputs: [outputs], name: 'head' });
}

/** The loss that goes with the head's last layer. */
export function headLoss(classCount: number): 'binaryCrossentropy' | 'categoricalCrossentropy' {
  return classCount === 2 ? 'binaryCrossentropy' : 'categoricalCrossentropy';
}

/** Probabilities of all classes from a row of the head's output (one sigmoid is the second class's). */
export function classProbabilities(row: ArrayLike<number>): number[] {
  const [only] = Array.from(row);
  return row.length === 1 && only !== undefined ? [1 - only, only] : Array.from(row);
}
