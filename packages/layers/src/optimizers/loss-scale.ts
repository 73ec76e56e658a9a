import { ConvbaseError } from '@convbase/base';
import { planScaleLoss, planUnscaleGradient, planUpdateLossScale, type Gpu } from '@convbase/core-gpu';
import { tensor, type Tensor } from '../tensor/tensor.ts';

/** Keras' factor and growth; it has no limits. Why there are some, and these: core-gpu's `kernels/loss-scale/README.md`. */
const INITIAL_SCALE = 2 ** 15;
const RULES = { growthSteps: 2000, smallest: 1, largest: 2 ** 24 };

interface Held {
  /** [scale, good steps since it changed, steps skipped, steps skipped in a row that had the smallest scale] */
  readonly state: Tensor;
  /** One word, not 0 while a step has met a gradient that is not finite. */
  readonly nonFinite: Tensor;
}

/**
 * The loss scale of training in mixed precision, with Keras' rules: core-gpu's `kernels/loss-scale/README.md`. It lives on
 * the GPU, where whether a step is skipped is decided without the CPU.
 */
export class LossScale {
  #held: Held | null = null;
  /** What to go on from. */
  #saved: Float32Array = begin();
  #settled = 0;

  /** Of the skipped steps that the state counts, those that were known when `settle` last looked. */
  get settled(): number {
    return this.#settled;
  }

  /** Scales the gradient of the loss in place. */
  scale(dy: Tensor): void {
    const { state } = this.#on(dy.gpu);
    dy.gpu.run(planScaleLoss({ count: dy.size }, dy.gpu.target), { g: dy.buffer, state: state.buffer });
  }

  /** Takes the scale out of the gradients of the weights, in place, and notes whether all of them are finite. */
  unscale(gpu: Gpu, gradients: readonly Tensor[]): void {
    const { state, nonFinite } = this.#on(gpu);
    for (const gradient of gradients) {
      const buffers = { g: gradient.buffer, state: state.buffer, nonFinite: nonFinite.buffer };
      gpu.run(planUnscaleGradient({ count: gradient.size }, gpu.target), buffers);
    }
  }

  /** For the plans of optimizers: what is not 0 where the step has to be skipped, and the state. Borrowed. */
  on(gpu: Gpu): { readonly skip: Tensor; readonly state: Tensor } {
    const { state, nonFinite } = this.#on(gpu);
    return { skip: nonFinite, state };
  }

  /** The scale of the next step; after the update, which reads whether this one was good. */
  update(gpu: Gpu): void {
    const { state, nonFinite } = this.#on(gpu);
    gpu.run(planUpdateLossScale(RULES), { state: state.buffer, nonFinite: nonFinite.buffer });
  }

  /**
   * Brings `settled` up to date; a small read. Throws `training/overflow` afterwards, where the last step was skipped
   * with the smallest scale and the next ones `maySkip` too: nothing would ever be learnt again.
   */
  async settle(maySkip: boolean): Promise<void> {
    const [, , skipped = 0, stuck = 0] = await this.#read();
    this.#settled = skipped;
    if (maySkip && stuck > 0) {
      const steps = stuck === 1 ? 'step was' : `${stuck} steps were`;
      throw new ConvbaseError(
        'training/overflow',
        `the last ${steps} skipped: gradients are not finite, even with a loss scale of ${RULES.smallest}`,
        {
          fix: 'Train in float32, with a smaller learning rate, or without samples whose loss is not finite.',
        },
      );
    }
  }

  /** What `restore` takes: the state, of the skipped steps only those that are not settled. */
  async save(): Promise<Float32Array> {
    const state = await this.#read();
    return state.map((value, index) => (index === 2 ? value - this.#settled : value));
  }

  /** Goes on from a state that was saved, or from the beginning. */
  restore(saved: Float32Array = begin()): void {
    this.dispose();
    this.#saved = saved;
  }

  /** Frees what is on the GPU and starts over. */
  dispose(): void {
    this.#held?.state.dispose();
    this.#held?.nonFinite.dispose();
    this.#held = null;
    this.#saved = begin();
    this.#settled = 0;
  }

  async #read(): Promise<Float32Array> {
    return this.#held === null ? this.#saved : this.#held.state.data();
  }

  #on(gpu: Gpu): Held {
    return (this.#held ??= {
      state: tensor(gpu, this.#saved, [4], 'loss scale'),
      nonFinite: tensor(gpu, new Int32Array(1), [1], 'loss scale, not finite'),
    });
  }
}

function begin(): Float32Array {
  return Float32Array.of(INITIAL_SCALE, 0, 0, 0);
}

/** Why numbers cannot be what `LossScale.save` gave after so many `iterations`; null where they can. */
export function whyNoLossScale(values: Float32Array, iterations: number): string | null {
  const [scale = Number.NaN, ...counts] = values;
  const isScale = scale >= RULES.smallest && scale <= RULES.largest;
  const areCounts = counts.length === 3 && counts.every((count) => Number.isInteger(count) && count >= 0);
  if (isScale && areCounts && (counts[1] ?? 0) <= iterations) return null;
  return (
    `the loss scale cannot be [${values.slice(0, 5).join(', ')}] at iteration ${iterations}: it is four numbers, ` +
    `the scale from ${RULES.smallest} to ${RULES.largest}, good steps since it changed, skipped steps among those ` +
    'taken, and steps skipped in a row with the smallest scale'
  );
}
