import { ConvbaseError } from '@convbase/base';
import { sizeOf } from '../tensor/shape.ts';
import { entryOf, toCamelCase, toSnakeCase } from './names.ts';
import { normalStream, uniformStream } from './random.ts';

/** Fills a weight of the given shape. `seed` is the weight's own; an initializer with a seed of its own ignores it. */
export interface Initializer {
  (shape: readonly number[], seed: number): Float32Array;
  /** What Keras calls it and the options it has there; absent for a function of one's own. */
  readonly keras?: KerasInitializer;
}

export interface KerasInitializer {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Gives an initializer its Keras description; a function that has one already keeps the new one. */
export function described(
  className: string,
  config: Readonly<Record<string, unknown>>,
  initializer: (shape: readonly number[], seed: number) => Float32Array,
): Initializer {
  return Object.assign(initializer, { keras: { className, config } });
}

/** Keras names in either spelling (`'glorotUniform'`, `'glorot_uniform'`, `'GlorotUniform'`) or a function. */
export type InitializerLike = string | Initializer;

export interface VarianceScalingConfig {
  readonly scale?: number;
  readonly mode?: 'fanIn' | 'fanOut' | 'fanAvg';
  readonly distribution?: 'uniform' | 'truncatedNormal' | 'untruncatedNormal';
  readonly seed?: number;
}

export const zeros = (): Initializer => described('Zeros', {}, constant(0));
export const ones = (): Initializer => described('Ones', {}, constant(1));

export function constant(value: number): Initializer {
  return described('Constant', { value }, (shape) => new Float32Array(sizeOf(shape)).fill(value));
}

export function randomUniform(config: { minval?: number; maxval?: number; seed?: number } = {}): Initializer {
  const { minval = -0.05, maxval = 0.05 } = config;
  return described('RandomUniform', { minval, maxval, ...keptSeed(config) }, (shape, seed) => {
    const next = uniformStream(config.seed ?? seed);
    return new Float32Array(sizeOf(shape)).map(() => minval + (maxval - minval) * next());
  });
}

export function randomNormal(config: { mean?: number; stddev?: number; seed?: number } = {}): Initializer {
  const { mean = 0, stddev = 0.05 } = config;
  return described('RandomNormal', { mean, stddev, ...keptSeed(config) }, (shape, seed) => {
    const next = normalStream(config.seed ?? seed);
    return new Float32Array(sizeOf(shape)).map(() => mean + stddev * next());
  });
}

/** Normal numbers, drawn again when further than two standard deviations from the mean. */
export function truncatedNormal(config: { mean?: number; stddev?: number; seed?: number } = {}): Initializer {
  const { mean = 0, stddev = 0.05 } = config;
  return described('TruncatedNormal', { mean, stddev, ...keptSeed(config) }, (shape, seed) => {
    const next = normalStream(config.seed ?? seed);
    const draw = (): number => {
      // One in twenty is drawn again: so many in a row never are.
      for (let attempt = 0; attempt < 100; attempt++) {
        const value = next();
        if (Math.abs(value) <= 2) return value;
      }
      return 0;
    };
    return new Float32Array(sizeOf(shape)).map(() => mean + stddev * draw());
  });
}

/** Keras' `VarianceScaling`: variance `scale / fan`, of which the Glorot, He and LeCun initializers are cases. */
export function varianceScaling(config: VarianceScalingConfig = {}): Initializer {
  const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' } = config;
  const own = config.seed === undefined ? {} : { seed: config.seed };
  const keras = {
    scale,
    mode: toSnakeCase(mode),
    distribution: toSnakeCase(distribution),
    ...keptSeed(config),
  };
  return described('VarianceScaling', keras, (shape, seed) => {
    const { fanIn, fanOut } = fans(shape);
    const fan = mode === 'fanIn' ? fanIn : mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2;
    const variance = scale / Math.max(1, fan);
    if (distribution === 'uniform') {
      const limit = Math.sqrt(3 * variance);
      return randomUniform({ minval: -limit, maxval: limit, ...own })(shape, seed);
    }
    // Cutting a standard normal off at two leaves a standard deviation of 0.8796.
    if (distribution === 'truncatedNormal') {
      return truncatedNormal({ stddev: Math.sqrt(variance) / 0.87962566103423978, ...own })(shape, seed);
    }
    return randomNormal({ stddev: Math.sqrt(variance), ...own })(shape, seed);
  });
}

interface Seeded {
  readonly seed?: number;
}

/** How Keras writes a seed down: null where there is none. */
function keptSeed({ seed }: Seeded): { readonly seed: number | null } {
  return { seed: seed ?? null };
}

/** A case of variance scaling that has a name of its own. */
function scaling(className: string, fixed: VarianceScalingConfig): (config?: Seeded) => Initializer {
  return (config = {}) => described(className, keptSeed(config), varianceScaling({ ...fixed, ...config }));
}

/** Glorot and Bengio, 2010. */
export const glorotUniform = scaling('GlorotUniform', { mode: 'fanAvg', distribution: 'uniform' });
export const glorotNormal = scaling('GlorotNormal', { mode: 'fanAvg' });
/** He and others, 2015. */
export const heUniform = scaling('HeUniform', { scale: 2, distribution: 'uniform' });
export const heNormal = scaling('HeNormal', { scale: 2 });
export const lecunUniform = scaling('LecunUniform', { distribution: 'uniform' });
export const lecunNormal = scaling('LecunNormal', {});

const byName: Readonly<Record<string, () => Initializer>> = {
  zeros,
  ones,
  randomUniform,
  randomNormal,
  truncatedNormal,
  varianceScaling,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunUniform,
  lecunNormal,
};

/** The initializer meant by a name or a function. Throws `initializer/unknown`. */
export function initializerFrom(like: InitializerLike): Initializer {
  if (typeof like === 'function') return like;
  const make = entryOf(byName, toCamelCase(like));
  if (make === undefined) {
    throw new ConvbaseError('initializer/unknown', `there is no initializer called ${like}`, {
      fix: `Known are ${Object.keys(byName).join(', ')}; or give a function (shape, seed) => Float32Array.`,
    });
  }
  return make();
}

/** How many inputs and outputs a unit of a weight has; a convolution counts its whole window. */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  const inputs = shape.at(-2) ?? shape[0] ?? 1;
  const outputs = shape.at(-1) ?? 1;
  const window = sizeOf(shape.slice(0, -2));
  return { fanIn: inputs * window, fanOut: outputs * window };
}
