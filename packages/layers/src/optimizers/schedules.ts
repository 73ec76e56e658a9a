import { ConvbaseError } from '@convbase/base';
import { entryOf } from '../layers/names.ts';

/** A rule that makes the learning rate of a step (counted from 0) of nothing but its number. */
export interface LearningRateSchedule {
  /** The class in Keras' files. */
  readonly className: string;
  at(step: number): number;
  /** Keras' configuration. */
  config(): Record<string, unknown>;
}

function checkSteps(decaySteps: number): void {
  if (decaySteps > 0) return;
  throw new ConvbaseError('optimizer/schedule', `a learning rate cannot decay over ${decaySteps} steps`, {
    fix: 'Give decaySteps above 0.',
  });
}

export interface ExponentialDecayConfig {
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  readonly decayRate: number;
  /** Whether the rate falls in steps, every `decaySteps`; false when left out. */
  readonly staircase?: boolean;
}

/** `initialLearningRate * decayRate ^ (step / decaySteps)`; with `staircase` the exponent is rounded down. */
export class ExponentialDecay implements LearningRateSchedule {
  readonly className = 'ExponentialDecay';
  readonly #config: Required<ExponentialDecayConfig>;

  constructor(config: ExponentialDecayConfig) {
    checkSteps(config.decaySteps);
    this.#config = { staircase: false, ...config };
  }

  at(step: number): number {
    const { initialLearningRate, decaySteps, decayRate, staircase } = this.#config;
    const exponent = staircase ? Math.floor(step / decaySteps) : step / decaySteps;
    return initialLearningRate * decayRate ** exponent;
  }

  config(): Record<string, unknown> {
    const { initialLearningRate, decaySteps, decayRate, staircase } = this.#config;
    return {
      initial_learning_rate: initialLearningRate,
      decay_steps: decaySteps,
      decay_rate: decayRate,
      staircase,
      name: this.className,
    };
  }
}

/** `values[i]` up to and with step `boundaries[i]`, the last value after them all. */
export class PiecewiseConstantDecay implements LearningRateSchedule {
  readonly className = 'PiecewiseConstantDecay';
  readonly boundaries: readonly number[];
  readonly values: readonly number[];

  constructor(config: { readonly boundaries: readonly number[]; readonly values: readonly number[] }) {
    this.boundaries = config.boundaries;
    this.values = config.values;
    if (this.values.length === this.boundaries.length + 1 && this.boundaries.length > 0) return;
    throw new ConvbaseError(
      'optimizer/schedule',
      `${this.boundaries.length} boundaries do not part ${this.values.length} values`,
      { fix: 'Give one value more than there are boundaries.' },
    );
  }

  at(step: number): number {
    const index = this.boundaries.findIndex((boundary) => step <= boundary);
    return this.values.at(index) ?? Number.NaN;
  }

  config(): Record<string, unknown> {
    return { boundaries: this.boundaries, values: this.values, name: 'PiecewiseConstant' };
  }
}

export interface CosineDecayConfig {
  readonly initialLearningRate: number;
  /** Steps from the highest rate to the lowest, warm-up not counted. */
  readonly decaySteps: number;
  /** The lowest rate as a fraction of the highest; 0 when left out. */
  readonly alpha?: number;
  /** Where a linear warm-up from `initialLearningRate` leads, if there is one. */
  readonly warmupTarget?: number | null;
  readonly warmupSteps?: number;
}

/**
 * Half a cosine wave from the highest rate to the lowest (Loshchilov and Hutter, 2016), after a linear warm-up if asked
 * for. With `alpha: 1` the rate stays what the warm-up has made it.
 */
export class CosineDecay implements LearningRateSchedule {
  readonly className = 'CosineDecay';
  readonly #config: Required<CosineDecayConfig>;

  constructor(config: CosineDecayConfig) {
    checkSteps(config.decaySteps);
    this.#config = { alpha: 0, warmupTarget: null, warmupSteps: 0, ...config };
  }

  at(step: number): number {
    const { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps } = this.#config;
    if (warmupTarget === null) return decay(step, initialLearningRate);
    if (step >= warmupSteps) return decay(step - warmupSteps, warmupTarget);
    return initialLearningRate + (warmupTarget - initialLearningRate) * (step / warmupSteps);

    function decay(since: number, highest: number): number {
      const wave = 0.5 * (1 + Math.cos((Math.PI * Math.min(since, decaySteps)) / decaySteps));
      return highest * ((1 - alpha) * wave + alpha);
    }
  }

  config(): Record<string, unknown> {
    const { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps } = this.#config;
    return {
      initial_learning_rate: initialLearningRate,
      decay_steps: decaySteps,
      alpha,
      name: this.className,
      warmup_target: warmupTarget,
      warmup_steps: warmupSteps,
    };
  }
}

const fromKeras: Readonly<Record<string, (read: ConfigReader) => LearningRateSchedule>> = {
  ExponentialDecay: ({ number, flag }) =>
    new ExponentialDecay({
      initialLearningRate: number('initial_learning_rate'),
      decaySteps: number('decay_steps'),
      decayRate: number('decay_rate'),
      staircase: flag('staircase'),
    }),
  PiecewiseConstantDecay: ({ numbers }) =>
    new PiecewiseConstantDecay({ boundaries: numbers('boundaries'), values: numbers('values') }),
  CosineDecay: ({ number, config }) =>
    new CosineDecay({
      initialLearningRate: number('initial_learning_rate'),
      decaySteps: number('decay_steps'),
      alpha: number('alpha', 0),
      warmupTarget: (config['warmup_target'] ?? null) === null ? null : number('warmup_target'),
      warmupSteps: number('warmup_steps', 0),
    }),
};

interface ConfigReader {
  readonly config: Readonly<Record<string, unknown>>;
  readonly number: (key: string, missing?: number) => number;
  readonly numbers: (key: string) => number[];
  readonly flag: (key: string) => boolean;
}

/**
 * The schedule that a Keras file describes: `{ class_name: 'CosineDecay', config: { .. } }`. Throws
 * `optimizer/schedule` for one that convbase does not have.
 */
export function scheduleFromConfig(serialized: Readonly<Record<string, unknown>>): LearningRateSchedule {
  const { class_name: className, config } = serialized;
  const make = entryOf(fromKeras, String(className));
  if (make === undefined || typeof config !== 'object' || config === null) {
    throw new ConvbaseError('optimizer/schedule', `the schedule ${String(className)} is not supported`, {
      fix: `There is ${Object.keys(fromKeras).join(', ')}.`,
    });
  }
  const values = config as Record<string, unknown>;
  const finite = (key: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new ConvbaseError('optimizer/schedule', `${key} is not a number`, { where: String(className) });
  };
  return make({
    config: values,
    number: (key, missing) => finite(key, values[key] ?? missing),
    numbers: (key) => {
      const list = values[key];
      return (Array.isArray(list) ? list : [list]).map((value) => finite(key, value));
    },
    flag: (key) => values[key] === true,
  });
}

/** What a Keras file says about a schedule. */
export function serializeSchedule(schedule: LearningRateSchedule): Record<string, unknown> {
  return {
    module: 'keras.optimizers.schedules',
    class_name: schedule.className,
    config: schedule.config(),
    registered_name: null,
  };
}
