import {
  planAccumulate,
  planClipByNorm,
  planClipByValue,
  planSumOfSquares,
  type Gpu,
  type Plan,
} from '@convbase/core-gpu';
import { ConvbaseError } from '@convbase/base';
import type { Variable } from '../layers/variable.ts';
import { fill } from '../ops/elementwise.ts';
import { Tensor } from '../tensor/tensor.ts';
import { LossScale } from './loss-scale.ts';
import type { LearningRateSchedule } from './schedules.ts';

/** Options that all optimizers share, with Keras' meaning. At most one kind of clipping. */
export interface OptimizerConfig {
  /** A number, or a rule that makes one of the number of steps taken. */
  readonly learningRate?: number | LearningRateSchedule;
  /** Decoupled decay: the weight shrinks by this times the learning rate before each update. */
  readonly weightDecay?: number | null;
  /** Clips each element of a gradient. */
  readonly clipValue?: number | null;
  /** Scales each gradient down to at most this norm. */
  readonly clipNorm?: number | null;
  /** Scales all gradients together down to at most this norm. */
  readonly globalClipNorm?: number | null;
}

export interface WeightGradient {
  readonly variable: Variable;
  readonly gradient: Tensor;
}

/** What is different from one update to the next. */
export interface UpdateStep {
  /** Elements of the weight. */
  readonly count: number;
  readonly learningRate: number;
  /** Whether a number on the GPU may say that the step is to be left out. */
  readonly maySkip: boolean;
}

/** The number as it is. Throws `optimizer/option` unless it is finite, from 0, and within the limit where there is one. */
export function checkNumber(
  name: string,
  value: number,
  { most = Infinity, below = Infinity }: { most?: number; below?: number } = {},
): number {
  if (Number.isFinite(value) && value >= 0 && value <= most && value < below) return value;
  const limit = below < Infinity ? ` and below ${below}` : most < Infinity ? ` to ${most}` : '';
  throw new ConvbaseError('optimizer/option', `${name} cannot be ${value}`, {
    fix: `Give a finite number from 0${limit}.`,
  });
}

/** Changes weights by their gradients; remembers what it needs for that in slots beside each weight. */
export abstract class Optimizer {
  /** The rule that decides the learning rate, if there is one. */
  readonly schedule: LearningRateSchedule | null;
  #learningRate: number;
  /** Steps recorded, skipped ones as well. */
  #recorded = 0;
  readonly weightDecay: number;
  /** Used in mixed precision only. */
  readonly lossScale = new LossScale();
  readonly #clip: {
    readonly value: number | null;
    readonly norm: number | null;
    readonly globalNorm: number | null;
  };
  readonly #slots = new Map<Variable, Record<string, Tensor>>();

  constructor(config: OptimizerConfig, defaultLearningRate: number) {
    const { learningRate = defaultLearningRate } = config;
    this.schedule = typeof learningRate === 'number' ? null : learningRate;
    this.#learningRate = typeof learningRate === 'number' ? learningRate : Number.NaN;
    if (typeof learningRate === 'number') checkNumber('learningRate', learningRate);
    this.weightDecay = checkNumber('weightDecay', config.weightDecay ?? 0);
    this.#clip = {
      value: config.clipValue ?? null,
      norm: config.clipNorm ?? null,
      globalNorm: config.globalClipNorm ?? null,
    };
    for (const [name, limit] of Object.entries(this.#clip)) {
      if (limit !== null) checkNumber(`clip${name === 'value' ? 'Value' : 'Norm'}`, limit);
    }
    if (Object.values(this.#clip).filter((limit) => limit !== null).length > 1) {
      throw new ConvbaseError(
        'optimizer/clip',
        'only one of clipValue, clipNorm and globalClipNorm can be set',
      );
    }
  }

  /** Steps taken; in mixed precision also those skipped since the last `settle`. */
  get iterations(): number {
    return this.#recorded - this.lossScale.settled;
  }

  set iterations(value: number) {
    this.#recorded = value + this.lossScale.settled;
  }

  /** That of the next step. May be set between steps, unless a schedule decides it: `optimizer/schedule`. */
  get learningRate(): number {
    return this.schedule?.at(this.iterations) ?? this.#learningRate;
  }

  set learningRate(value: number) {
    if (this.schedule !== null) {
      throw new ConvbaseError(
        'optimizer/schedule',
        'the learning rate follows a schedule, so it cannot be set',
        {
          fix: 'Give the optimizer a number as its learning rate.',
        },
      );
    }
    this.#learningRate = checkNumber('learningRate', value);
  }

  /** The slots beside each weight: their names in the plan, and whether this configuration has them. */
  protected abstract slotNames(): Readonly<Record<string, boolean>>;

  /**
   * The plan of one update; its buffers are `w`, `g`, the slots and with `maySkip` also `skip` and `stepRate`, where that
   * is not null. `iterations` counts this step already.
   */
  protected abstract plan(gpu: Gpu, step: UpdateStep): Plan;

  /**
   * Records the making of a rate that depends on how many steps were really taken, for a step that may be skipped; null
   * where updates have none. `state`, the loss scale's, knows how many of `step` steps (counted from 1) were skipped. The
   * caller disposes of it.
   */
  protected stepRate(_learningRate: number, _step: number, _state: Tensor): Tensor | null {
    return null;
  }

  /**
   * Records the update of all weights. Gradients are clipped in place. With `maySkip` nothing is changed where the loss
   * scale has met a gradient that is not finite; such a step counts in `iterations` until `settle`.
   */
  apply(gpu: Gpu, pairs: readonly WeightGradient[], maySkip = false): void {
    gpu.label(
      'optimizer',
      () => {
        this.#update(gpu, pairs, maySkip);
      },
      'update',
    );
  }

  /**
   * Takes the steps that were skipped out of `iterations`. It is a small read after steps with `maySkip`, else nothing.
   * Then throws `training/overflow` where training with `maySkip` cannot go on.
   */
  async settle(maySkip = false): Promise<void> {
    await this.lossScale.settle(maySkip);
  }

  #update(gpu: Gpu, pairs: readonly WeightGradient[], maySkip: boolean): void {
    const { learningRate } = this;
    this.#recorded++;
    this.#clipAll(gpu, pairs);
    const scaled = maySkip ? this.lossScale.on(gpu) : null;
    const stepRate = scaled && this.stepRate(learningRate, this.#recorded, scaled.state);
    for (const { variable, gradient } of pairs) {
      const buffers = Object.fromEntries(
        Object.keys(this.slotNames()).map((name) => [name, this.#slot(gpu, variable, name)?.buffer ?? null]),
      );
      gpu.run(this.plan(gpu, { count: variable.size, learningRate, maySkip }), {
        w: variable.tensor(gpu).buffer,
        g: gradient.buffer,
        ...(scaled && { skip: scaled.skip.buffer }),
        ...(stepRate && { stepRate: stepRate.buffer }),
        ...buffers,
      });
      variable.changed();
    }
    stepRate?.dispose();
  }

  /** What is remembered beside each weight in this configuration: `velocity`, `m`, `v` .. */
  get slots(): readonly string[] {
    return Object.entries(this.slotNames()).flatMap(([name, has]) => (has ? [name] : []));
  }

  /** What is remembered of a weight, nothing before its first update. Borrowed: do not dispose of it. */
  slotsOf(variable: Variable): Readonly<Record<string, Tensor>> {
    return this.#slots.get(variable) ?? {};
  }

  /** Remembers values (as many as the weight has) instead of zeros. */
  restoreSlot(gpu: Gpu, variable: Variable, name: string, values: Float32Array): void {
    const slot = this.#slot(gpu, variable, name);
    if (slot !== null) gpu.write(slot.buffer, values);
  }

  /** Scalars in everything the optimizer remembers, with the step count and the learning rate; null before its use. */
  countParams(): number | null {
    if (this.#recorded === 0 && this.#slots.size === 0) return null;
    const slots = [...this.#slots.values()].flatMap((held) => Object.values(held));
    return 2 + slots.reduce((sum, slot) => sum + slot.size, 0);
  }

  /** Frees the slots and starts over. */
  dispose(): void {
    for (const held of this.#slots.values()) for (const slot of Object.values(held)) slot.dispose();
    this.#slots.clear();
    this.lossScale.dispose();
    this.#recorded = 0;
  }

  #slot(gpu: Gpu, variable: Variable, name: string): Tensor | null {
    if (this.slotNames()[name] !== true) return null;
    let held = this.#slots.get(variable);
    if (held === undefined) this.#slots.set(variable, (held = {}));
    return (held[name] ??= fill(gpu, variable.shape, 0, `${variable.path} ${name}`));
  }

  #clipAll(gpu: Gpu, pairs: readonly WeightGradient[]): void {
    const { value, norm, globalNorm } = this.#clip;
    const { target } = gpu;
    if (value !== null) {
      for (const { gradient } of pairs) {
        gpu.run(planClipByValue({ count: gradient.size, clipValue: value }, target), { g: gradient.buffer });
      }
    }
    if (norm !== null) {
      for (const { gradient } of pairs) {
        const squares = sumOfSquares(gradient);
        clipByNorm(gradient, norm, squares);
        squares.dispose();
      }
    }
    if (globalNorm !== null) {
      const total = fill(gpu, [1], 0, 'global norm');
      for (const { gradient } of pairs) {
        const squares = sumOfSquares(gradient);
        gpu.run(planAccumulate({ count: 1 }, target), { total: total.buffer, value: squares.buffer });
        squares.dispose();
      }
      for (const { gradient } of pairs) clipByNorm(gradient, globalNorm, total);
      total.dispose();
    }
  }
}

function sumOfSquares(x: Tensor): Tensor {
  const y = Tensor.empty(x.gpu, [1], 'sum of squares');
  x.gpu.run(planSumOfSquares({ count: x.size }, x.gpu.target), { x: x.buffer, y: y.buffer });
  return y;
}

function clipByNorm(gradient: Tensor, clipNorm: number, sumOfSquares: Tensor): void {
  const { gpu, size: count } = gradient;
  gpu.run(planClipByNorm({ count, clipNorm }, gpu.target), {
    g: gradient.buffer,
    sumOfSquares: sumOfSquares.buffer,
  });
}
