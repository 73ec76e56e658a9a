import { planScaleLoss, planUnscaleGradient, planUpdateLossScale, type Gpu } from '@convbase/core-gpu';
import { tensor, type Tensor } from '../tensor/tensor.ts';

const INITIAL_SCALE = 2 ** 15;
/** Good steps in a row after which the scale is doubled. */
const GROWTH_STEPS = 2000;

interface Held {
  /** [scale, good steps since it changed] */
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
  /** What to go on from; null where training begins. */
  #saved: Float32Array | null = null;

  /** Scales the gradient of the loss in place. */
  scale(dy: Tensor): void {
    const { state } = this.#on(dy.gpu);
    dy.gpu.run(planScaleLoss(dy.size, dy.gpu.target), { g: dy.buffer, state: state.buffer });
  }

  /** Takes the scale out of the gradients of the weights, in place, and notes whether all of them are finite. */
  unscale(gpu: Gpu, gradients: readonly Tensor[]): void {
    const { state, nonFinite } = this.#on(gpu);
    for (const gradient of gradients) {
      const buffers = { g: gradient.buffer, state: state.buffer, nonFinite: nonFinite.buffer };
      gpu.run(planUnscaleGradient(gradient.size, gpu.target), buffers);
    }
  }

  /** What is not 0 where the step has to be skipped, for the plans of optimizers. Borrowed. */
  skip(gpu: Gpu): Tensor {
    return this.#on(gpu).nonFinite;
  }

  /** The scale of the next step; after the update, which reads whether this one was good. */
  update(gpu: Gpu): void {
    const { state, nonFinite } = this.#on(gpu);
    gpu.run(planUpdateLossScale(GROWTH_STEPS), { state: state.buffer, nonFinite: nonFinite.buffer });
  }

  /** The scale and the good steps since it changed; null where training begins. */
  async save(): Promise<Float32Array | null> {
    return this.#held === null ? this.#saved : this.#held.state.data();
  }

  /** Goes on from a state that was saved, or from the beginning. */
  restore(saved: Float32Array | null): void {
    this.dispose();
    this.#saved = saved;
  }

  /** Frees what is on the GPU and starts over. */
  dispose(): void {
    this.#held?.state.dispose();
    this.#held?.nonFinite.dispose();
    this.#held = null;
    this.#saved = null;
  }

  #on(gpu: Gpu): Held {
    return (this.#held ??= {
      state: tensor(gpu, this.#saved ?? Float32Array.of(INITIAL_SCALE, 0), [2], 'loss scale'),
      nonFinite: tensor(gpu, new Int32Array(1), [1], 'loss scale, not finite'),
    });
  }
}
