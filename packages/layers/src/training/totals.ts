import { planAccumulate, planSum, type Gpu } from '@convbase/core-gpu';
import type { Metric } from '../metrics/index.ts';
import { fill } from '../ops/elementwise.ts';
import { Tensor } from '../tensor/tensor.ts';

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
  samples = 0;

  constructor(gpu: Gpu, metrics: readonly Metric[]) {
    this.#gpu = gpu;
    this.#metrics = metrics;
    this.#loss = fill(gpu, [1], 0, 'loss total');
    this.#hits = metrics.map((metric) => fill(gpu, [1], 0, `${metric.name} total`));
    this.#chances = metrics.map(() => 0);
  }

  /** Records the addition of one batch's losses (one per sample). */
  addLosses(losses: Tensor): void {
    const sum = Tensor.empty(this.#gpu, [1], 'loss sum');
    this.#gpu.run(planSum(losses.size, this.#gpu.target), { x: losses.buffer, y: sum.buffer });
    this.#gpu.run(planAccumulate(1, this.#gpu.target), { total: this.#loss.buffer, value: sum.buffer });
    sum.dispose();
    this.samples += losses.size;
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
    const all = Tensor.empty(this.#gpu, [1 + this.#hits.length], 'totals');
    [this.#loss, ...this.#hits].forEach((total, index) => {
      this.#gpu.copy(total.buffer, all.buffer, 4, 0, 4 * index);
    });
    try {
      const [loss = Number.NaN, ...hits] = await all.data();
      const logs: Record<string, number> = { loss: loss / samples };
      this.#metrics.forEach((metric, index) => {
        logs[metric.name] = (hits[index] ?? Number.NaN) / (chances[index] ?? 0);
      });
      return logs;
    } finally {
      all.dispose();
    }
  }

  dispose(): void {
    this.#loss.dispose();
    for (const hits of this.#hits) hits.dispose();
  }
}
