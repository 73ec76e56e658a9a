import type { Batch, Dataset } from '../tensor/host-array.ts';
import { checkWhole, mapped, shuffled, skipped, taken, type Elements, type Lazy } from './elements.ts';
import { stack, type Sample } from './stack.ts';

/**
 * Samples, or what samples are to be made of, one after the other. Nothing is read or computed before a batch is asked
 * for. Every function gives another dataset and leaves this one as it is.
 */
export class SampleDataset<T = Sample> {
  readonly #elements: Elements<T>;

  constructor(elements: Elements<T>) {
    this.#elements = elements;
  }

  /** How many there are; undefined where only reading tells. */
  get sampleCount(): number | undefined {
    return this.#elements.count;
  }

  /**
   * Something done to each element. The function has to make the same of the same element: it may be called in any order,
   * and is not called for elements that are skipped.
   */
  map<U>(change: (element: T) => U | Promise<U>): SampleDataset<U> {
    return new SampleDataset(mapped(this.#elements, change));
  }

  /**
   * Another order in every epoch, which `seed` and the epoch's number decide; without `reshuffleEachIteration` the seed
   * alone. It is an even shuffle where the buffer holds all elements (`Infinity` does); a smaller one mixes elements that
   * are near to each other, and is for what does not fit into memory.
   */
  shuffle(bufferSize: number, seed = 0, reshuffleEachIteration = true): SampleDataset<T> {
    return new SampleDataset(shuffled(this.#elements, bufferSize, seed, reshuffleEachIteration));
  }

  /** The first `count` elements. */
  take(count: number): SampleDataset<T> {
    return new SampleDataset(taken(this.#elements, count));
  }

  /** All but the first `count` elements. */
  skip(count: number): SampleDataset<T> {
    return new SampleDataset(skipped(this.#elements, count));
  }

  /**
   * Batches of samples, for `fit`, `evaluate` and `predict`. The last one may be smaller, or is left out with
   * `dropRemainder`. Throws `dataset/count`, and, when read, `dataset/sample` for samples that do not go together.
   */
  batch(
    this: SampleDataset,
    batchSize: number,
    { dropRemainder = false }: { readonly dropRemainder?: boolean } = {},
  ): BatchDataset {
    checkWhole(batchSize, 'batch: batchSize', 1);
    const samples = this.#elements;
    const { count } = samples;
    const round = dropRemainder ? Math.floor : Math.ceil;
    const batches: Elements<Batch> = {
      count: count === undefined ? undefined : round(count / batchSize),
      async *read(epoch, first) {
        let group: Lazy<Sample>[] = [];
        for await (const make of samples.read(epoch, first * batchSize)) {
          group.push(make);
          if (group.length < batchSize) continue;
          yield stacked(group);
          group = [];
        }
        if (group.length > 0 && !dropRemainder) yield stacked(group);
      },
    };
    const kept = dropRemainder && count !== undefined ? count - (count % batchSize) : count;
    return new BatchDataset(batches, kept);
  }
}

/** A dataset of batches. */
export class BatchDataset implements Dataset {
  readonly #batches: Elements<Batch>;
  readonly #sampleCount: number | undefined;

  constructor(batches: Elements<Batch>, sampleCount?: number) {
    this.#batches = batches;
    this.#sampleCount = sampleCount;
  }

  get batchCount(): number | undefined {
    return this.#batches.count;
  }

  get sampleCount(): number | undefined {
    return this.#sampleCount;
  }

  async *batches(epoch: number, first = 0): AsyncGenerator<Batch> {
    for await (const make of this.#batches.read(epoch, first)) yield await make();
  }

  /** As `SampleDataset.map`, of whole batches; the function may leave samples out or add some. */
  map(change: (batch: Batch) => Batch | Promise<Batch>): BatchDataset {
    return new BatchDataset(mapped(this.#batches, change));
  }

  /** As `SampleDataset.shuffle`, of whole batches. */
  shuffle(bufferSize: number, seed = 0, reshuffleEachIteration = true): BatchDataset {
    const batches = shuffled(this.#batches, bufferSize, seed, reshuffleEachIteration);
    return new BatchDataset(batches, this.#sampleCount);
  }

  /** The first `count` batches. */
  take(count: number): BatchDataset {
    return new BatchDataset(taken(this.#batches, count));
  }

  /** All but the first `count` batches. */
  skip(count: number): BatchDataset {
    return new BatchDataset(skipped(this.#batches, count));
  }
}

/** The samples are made together, so that what they wait for is waited for once. */
function stacked(group: readonly Lazy<Sample>[]): Lazy<Batch> {
  return async () => stack(await Promise.all(group.map(async (make) => make())));
}
