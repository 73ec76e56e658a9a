import { ConvbaseError } from '@convbase/base';
import { planAccumulate, planSum, type Gpu } from '@convbase/core-gpu';
import type { Metric } from '../metrics/index.ts';
import { scale } from '../ops/elementwise.ts';
import { tensor, Tensor } from '../tensor/tensor.ts';
import type { TotalsState } from './position.ts';

/**
 * Sums of the loss and of each metric's hits, kept on the GPU and read back only when somebody wants to see them.
 * How many samples they are over is known without reading.
 */
export class Totals {
  readonly #gpu: Gpu;
  readonly #metrics: readonly Metric[];
  readonly #loss: Tensor;
  readonly #hits: readonly Tensor[];
  readonly #chances: number[];
  samples: number;

  /** All zero, or as `save` left them. Throws `state/mismatch` for totals of other metrics. */
  constructor(gpu: Gpu, metrics: readonly Metric[], saved: TotalsState | null = null) {
    this.#gpu = gpu;
    this.#metrics = metrics;
    const count = 1 + metrics.length;
    if (saved !== null && (saved.sums.length !== count || saved.chances.length !== metrics.length)) {
      throw new ConvbaseError('state/mismatch', 'the epoch was begun with other metrics', {
        fix: 'Compile the model with the metrics that the training was begun with.',
      });
    }
    const sums = new Float32Array(Uint32Array.from(saved?.sums ?? metrics.map(() => 0).concat(0)).buffer);
    const total = (index: number, name: string): Tensor =>
      tensor(gpu, sums.slice(index, index + 1), [1], `${name} total`);
    this.#loss = total(0, 'loss');
    this.#hits = metrics.map(({ name }, index) => total(1 + index, name));
    this.#chances = metrics.map((_, index) => saved?.chances[index] ?? 0);
    this.samples = saved?.samples ?? 0;
  }

  /** Records the addition of one batch's losses (one per sample). */
  addLosses(losses: Tensor): void {
    const sum = Tensor.empty(this.#gpu, [1], 'loss sum');
    this.#gpu.run(planSum({ count: losses.size }, this.#gpu.target), { x: losses.buffer, y: sum.buffer });
    this.#gpu.run(planAccumulate({ count: 1 }, this.#gpu.target), {
      total: this.#loss.buffer,
      value: sum.buffer,
    });
    sum.dispose();
    this.samples += losses.size;
  }

  /** Records the addition of what the weights' sizes add to the loss of each of some samples; one float. */
  addPenalty(penalty: Tensor, samples: number): void {
    const share = scale(penalty, samples);
    this.#gpu.run(planAccumulate({ count: 1 }, this.#gpu.target), {
      total: this.#loss.buffer,
      value: share.buffer,
    });
    share.dispose();
  }

  addMetrics(predictions: Tensor, labels: Tensor): void {
    this.#metrics.forEach((metric, index) => {
      const hits = this.#hits[index];
      if (hits === undefined) return;
      this.#chances[index] = (this.#chances[index] ?? 0) + metric.count(predictions, labels, hits);
    });
  }

  /** Means so far: `{ loss, accuracy, .. }`. One read of a few bytes. */
  async read(): Promise<Record<string, number>> {
    const { samples } = this;
    const chances = [...this.#chances];
    const [loss = Number.NaN, ...hits] = await this.#sums();
    const logs: Record<string, number> = { loss: loss / samples };
    this.#metrics.forEach((metric, index) => {
      logs[metric.name] = (hits[index] ?? Number.NaN) / (chances[index] ?? 0);
    });
    return logs;
  }

  /** The totals themselves, to the last bit. */
  async save(): Promise<TotalsState> {
    const { samples } = this;
    const chances = [...this.#chances];
    return { samples, sums: [...new Uint32Array((await this.#sums()).buffer)], chances };
  }

  async #sums(): Promise<Float32Array> {
    const all = Tensor.empty(this.#gpu, [1 + this.#hits.length], 'totals');
    [this.#loss, ...this.#hits].forEach((total, index) => {
      this.#gpu.copy(total.buffer, all.buffer, 4, 0, 4 * index);
    });
    try {
      return await all.data();
    } finally {
      all.dispose();
    }
  }

  dispose(): void {
    this.#loss.dispose();
    for (const hits of this.#hits) hits.dispose();
  }
}
