import { ConvbaseError } from '@convbase/base';
import { entryOf, toCamelCase } from '../layers/names.ts';
import { Adam, AdamW, type AdamConfig } from './adam.ts';
import type { Optimizer } from './optimizer.ts';
import { RMSprop, type RMSpropConfig } from './rmsprop.ts';
import { scheduleFromConfig, type LearningRateSchedule } from './schedules.ts';
import { SGD, type SGDConfig } from './sgd.ts';

export { Adam, AdamW, type AdamConfig } from './adam.ts';
export { Optimizer, type OptimizerConfig, type WeightGradient } from './optimizer.ts';
export {
  CosineDecay,
  ExponentialDecay,
  PiecewiseConstantDecay,
  scheduleFromConfig,
  serializeSchedule,
  type CosineDecayConfig,
  type ExponentialDecayConfig,
  type LearningRateSchedule,
} from './schedules.ts';
export { RMSprop, type RMSpropConfig } from './rmsprop.ts';
export { SGD, type SGDConfig } from './sgd.ts';

type AnyConfig = SGDConfig & RMSpropConfig & AdamConfig;

const byName: Readonly<Record<string, (config: AnyConfig) => Optimizer>> = {
  sgd: (config) => new SGD(config),
  rmsprop: (config) => new RMSprop(config),
  adam: (config) => new Adam(config),
  adamw: (config) => new AdamW(config),
};

/** The optimizer of a name with Keras' defaults (and any options given), or an object as it is. */
export function optimizerFrom(like: string | Optimizer, config: AnyConfig = {}): Optimizer {
  if (typeof like !== 'string') return like;
  const make = entryOf(byName, like.toLowerCase());
  if (make === undefined) {
    throw new ConvbaseError('optimizer/unknown', `there is no optimizer called ${like}`, {
      fix: `Known are ${Object.keys(byName).join(', ')}.`,
    });
  }
  return make(config);
}

/** Keras' spelling of options that differ from ours by more than underscores. */
const renamed: Readonly<Record<string, string>> = {
  clipvalue: 'clipValue',
  clipnorm: 'clipNorm',
  global_clipnorm: 'globalClipNorm',
};
const flags = new Set(['nesterov', 'centered', 'amsgrad']);
const numbers = new Set([
  'learningRate',
  'weightDecay',
  'clipValue',
  'clipNorm',
  'globalClipNorm',
  'momentum',
  'rho',
  'epsilon',
  'beta1',
  'beta2',
]);
/** Options that are allowed only where they ask for nothing. */
const unsupported = ['use_ema', 'loss_scale_factor', 'gradient_accumulation_steps'];

/**
 * The optimizer that a Keras config describes: `optimizerFromConfig('RMSprop', { learning_rate: 0.001, rho: 0.9 })`.
 * An option convbase does not have is `optimizer/unsupported`.
 */
export function optimizerFromConfig(className: string, config: Readonly<Record<string, unknown>>): Optimizer {
  for (const option of unsupported) {
    const value = config[option];
    if (value !== undefined && value !== null && value !== false) {
      throw new ConvbaseError('optimizer/unsupported', `${option} is not supported`, { where: className });
    }
  }
  const options: Record<string, number | boolean | LearningRateSchedule> = {};
  for (const [key, value] of Object.entries(config)) {
    const name = entryOf(renamed, key) ?? toCamelCase(key);
    if (value === null || value === undefined) continue;
    if (flags.has(name)) options[name] = value === true;
    else if (name === 'learningRate' && typeof value === 'object') {
      options[name] = scheduleFromConfig(value as Record<string, unknown>);
    } else if (numbers.has(name)) {
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw new ConvbaseError('optimizer/unsupported', `${key} is not a number`, { where: className });
      }
      options[name] = value;
    }
  }
  return optimizerFrom(className, options);
}
