import { ConvbaseError } from '@convbase/base';
import { entryOf } from '../layers/names.ts';

/** A penalty on a weight that the loss grows by: `l1` times the sum of |w| plus `l2` times the sum of w^2. */
export interface Regularizer {
  /** The class in Keras' files. */
  readonly className: 'L1' | 'L2' | 'L1L2';
  readonly l1: number;
  readonly l2: number;
}

/** A name, a regularizer, or what a Keras file says about one. */
export type RegularizerLike = string | Regularizer | Readonly<Record<string, unknown>>;

export const l1 = (factor = 0.01): Regularizer => checked({ className: 'L1', l1: factor, l2: 0 });
export const l2 = (factor = 0.01): Regularizer => checked({ className: 'L2', l1: 0, l2: factor });
export const l1l2 = (factors: { readonly l1?: number; readonly l2?: number } = {}): Regularizer =>
  checked({ className: 'L1L2', l1: factors.l1 ?? 0, l2: factors.l2 ?? 0 });

const byName: Readonly<Record<string, (config: Readonly<Record<string, unknown>>) => Regularizer>> = {
  l1: (config) => l1(factor(config, 'l1', 0.01)),
  l2: (config) => l2(factor(config, 'l2', 0.01)),
  l1l2: (config) => l1l2({ l1: factor(config, 'l1', 0), l2: factor(config, 'l2', 0) }),
};

/**
 * The regularizer of a name with Keras' defaults (`'l2'`, `'L1L2'`), of a Keras configuration
 * (`{ class_name: 'L2', config: { l2: 1e-4 } }`), or one as it is. Throws `regularizer/unknown`, `regularizer/factor`.
 */
export function regularizerFrom(like: RegularizerLike | null | undefined): Regularizer | null {
  if (like === null || like === undefined) return null;
  if (isRegularizer(like)) return checked(like);
  const name = typeof like === 'string' ? like : String(like['class_name']);
  const config = typeof like === 'string' ? {} : (like['config'] ?? {});
  const make = entryOf(byName, name.toLowerCase().replaceAll('_', ''));
  if (make === undefined || typeof config !== 'object') {
    throw new ConvbaseError('regularizer/unknown', `there is no regularizer called ${name}`, {
      fix: `Known are ${Object.keys(byName).join(', ')}.`,
    });
  }
  return make(config as Readonly<Record<string, unknown>>);
}

/** What a Keras file says about a regularizer, without the class: `{ l2: 1e-4 }`. */
export function regularizerConfig({ className, l1, l2 }: Regularizer): Record<string, number> {
  return { ...(className === 'L2' ? {} : { l1 }), ...(className === 'L1' ? {} : { l2 }) };
}

function isRegularizer(like: RegularizerLike): like is Regularizer {
  return typeof like !== 'string' && 'className' in like && 'l1' in like && 'l2' in like;
}

function factor(config: Readonly<Record<string, unknown>>, key: string, missing: number): number {
  const value = config[key] ?? missing;
  return typeof value === 'number' ? value : Number.NaN;
}

function checked(regularizer: Regularizer): Regularizer {
  for (const value of [regularizer.l1, regularizer.l2]) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new ConvbaseError('regularizer/factor', `a weight cannot be penalised by ${value}`, {
      fix: 'Give a number of 0 or more.',
    });
  }
  return regularizer;
}
