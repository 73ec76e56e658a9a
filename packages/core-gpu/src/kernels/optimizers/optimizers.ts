import type { Binding, KernelTarget, Plan } from '../../commands/plan.ts';
import type { ShaderName } from '../../commands/shader.ts';
import { vec4Slices } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';

interface StepOptions {
  /** Number of elements of the weight. */
  readonly count: number;
  readonly learningRate: number;
  /** Decoupled weight decay (Keras' `weight_decay`): w -= w * weightDecay * learningRate before the step. Default 0. */
  readonly weightDecay?: number;
  /** Whether the step is left out where the number in buffer `skip` is not 0. Default false. */
  readonly maySkip?: boolean;
}

/** Hyper-parameters of SGD, with Keras' meaning and defaults. */
export interface SgdOptions extends StepOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Hyper-parameters of RMSprop, with Keras' meaning; `epsilon` stands inside the root. */
export interface RmspropOptions extends StepOptions {
  readonly rho: number;
  readonly momentum?: number;
  readonly epsilon: number;
  readonly centered?: boolean;
}

/** What Adam's rate depends on. `step` counts from 1. */
export interface AdamRateOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly step: number;
}

/** Hyper-parameters of Adam and, with `weightDecay`, AdamW. */
export interface AdamOptions extends StepOptions, AdamRateOptions {
  readonly epsilon: number;
  readonly amsgrad?: boolean;
}

/**
 * One step of SGD. Buffers: `w`, `g`, `velocity` (null where momentum is 0), each of `count` floats.
 *
 * Formula: keras/src/optimizers/sgd.py, `update_step`.
 */
export function planSgd(options: SgdOptions, target: KernelTarget): Plan {
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  const hasMomentum = momentum !== 0;
  return stepPlan('sgd', options, target, {
    constants: { HAS_MOMENTUM: hasMomentum, NESTEROV: hasMomentum && nesterov },
    uniforms: { learningRate, momentum, weightDecay },
    always: ['w', 'g'],
    optional: { velocity: hasMomentum },
  });
}

/**
 * One step of RMSprop. Buffers: `w`, `g`, `meanSquare`, `velocity` (null where momentum is 0) and
 * `meanGradient` (null unless centered), each of `count` floats; all states start at 0.
 *
 * Formula: keras/src/optimizers/rmsprop.py, `update_step`.
 */
export function planRmsprop(options: RmspropOptions, target: KernelTarget): Plan {
  const { learningRate, rho, momentum = 0, epsilon, centered = false, weightDecay = 0 } = options;
  const hasMomentum = momentum > 0;
  return stepPlan('rmsprop', options, target, {
    constants: { HAS_MOMENTUM: hasMomentum, CENTERED: centered },
    uniforms: { learningRate, rho, oneMinusRho: 1 - rho, momentum, epsilon, weightDecay },
    always: ['w', 'g', 'meanSquare'],
    optional: { velocity: hasMomentum, meanGradient: centered },
  });
}

/**
 * One step of Adam (AMSGrad with `amsgrad`, AdamW with `weightDecay`). Buffers: `w`, `g`, `m`, `v` and `vMax`
 * (null unless amsgrad), each of `count` floats; all states start at 0. With `maySkip` also `stepRate`, which `planAdamRate`
 * has made.
 *
 * Formula: keras/src/optimizers/adam.py, `update_step`; weight decay in base_optimizer.py, `_apply_weight_decay`.
 */
export function planAdam(options: AdamOptions, target: KernelTarget): Plan {
  const { learningRate, beta1, beta2, epsilon, amsgrad = false, weightDecay = 0 } = options;
  return stepPlan('adam', options, target, {
    constants: { AMSGRAD: amsgrad },
    uniforms: {
      rate: adamRate(options),
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      epsilon,
      decay: weightDecay * learningRate,
    },
    always: ['w', 'g', 'm', 'v'],
    optional: { vMax: amsgrad },
    skipping: ['stepRate'],
  });
}

/**
 * Adam's learning rate with both bias corrections: lr * sqrt(1 - beta2^t) / (1 - beta1^t).
 *
 * Rounded to float32 on the way, as Keras does: 1 - 0.999^t loses half its digits for small t, which shows in
 * the sixth digit of the first steps, and trajectories are compared with Keras'.
 */
export function adamRate({ learningRate, beta1, beta2, step }: AdamRateOptions): number {
  const { fround } = Math;
  const remaining = (beta: number) => fround(1 - fround(fround(beta) ** step));
  return fround(fround(fround(learningRate) * fround(Math.sqrt(remaining(beta2)))) / remaining(beta1));
}

/**
 * The same rate in `rate` (one float) for the `step`th step, those that were skipped counted; `state` is the loss
 * scale's, which knows how many these were. To float32's last digits, which Keras' arithmetic is not in the first steps.
 */
export function planAdamRate({ learningRate, beta1, beta2, step }: AdamRateOptions): Plan {
  return {
    kernel: 'adam rate',
    variant: 'one thread',
    temporaries: {},
    flops: 1,
    bytes: 20,
    dispatches: [
      {
        shader: 'optimizers/adam-rate',
        constants: {},
        uniforms: { learningRate, oneMinusBeta1: 1 - beta1, oneMinusBeta2: 1 - beta2, step },
        bindings: { state: 'state', rate: 'rate' },
        grid: [1, 1, 1],
      },
    ],
  };
}

interface StepParts {
  readonly constants: Readonly<Record<string, number | boolean>>;
  readonly uniforms: Readonly<Record<string, number>>;
  readonly always: readonly string[];
  /** Optional state buffers and whether this step has them. */
  readonly optional: Readonly<Record<string, boolean>>;
  /** What is read only by a step that may be skipped, besides `skip`. */
  readonly skipping?: readonly string[];
}

function stepPlan(
  kernel: 'sgd' | 'rmsprop' | 'adam',
  { count, maySkip = false }: StepOptions,
  target: KernelTarget,
  { constants, uniforms, always, optional, skipping = [] }: StepParts,
): Plan {
  const shader: ShaderName = `optimizers/${kernel}`;
  const states = Object.entries(optional);
  const used = [...always, ...states.filter(([, has]) => has).map(([name]) => name)];
  // Writable bindings may not share memory, so each missing state gets a scrap of its own, never touched.
  const missing = states.filter(([, has]) => !has).map(([name]) => [name, `no ${name}`] as const);
  return {
    kernel,
    variant: 'elementwise',
    temporaries: Object.fromEntries(missing.map(([, scrap]) => [scrap, 16])),
    flops: 12 * count,
    bytes: 4 * count * (2 * used.length - 1),
    dispatches: vec4Slices(count, target).map((slice) => ({
      shader,
      constants: { WORKGROUP: FLAT_WORKGROUP, MAY_SKIP: maySkip, ...constants },
      uniforms: { count: slice.count, ...uniforms },
      bindings: Object.fromEntries<Binding>([
        ...used.map((name) => [name, slice.of(name)] as const),
        ...missing,
        ...['skip', ...skipping].map((name) => [name, maySkip ? name : slice.of('g')] as const),
      ]),
      grid: grid1d(Math.ceil(slice.count / 4), FLAT_WORKGROUP, target),
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const flags = [false, true];
  const WORKGROUP = FLAT_WORKGROUP;
  const steps = flags.flatMap((MAY_SKIP): ShaderVariant[] => [
    ...[
      [false, false],
      [true, false],
      [true, true],
    ].map(([HAS_MOMENTUM = false, NESTEROV = false]) => ({
      shader: 'optimizers/sgd' as const,
      constants: { WORKGROUP, MAY_SKIP, HAS_MOMENTUM, NESTEROV },
    })),
    ...flags.flatMap((HAS_MOMENTUM) =>
      flags.map((CENTERED) => ({
        shader: 'optimizers/rmsprop' as const,
        constants: { WORKGROUP, MAY_SKIP, HAS_MOMENTUM, CENTERED },
      })),
    ),
    ...flags.map((AMSGRAD) => ({
      shader: 'optimizers/adam' as const,
      constants: { WORKGROUP, MAY_SKIP, AMSGRAD },
    })),
  ]);
  return [...steps, { shader: 'optimizers/adam-rate', constants: {} }];
}
