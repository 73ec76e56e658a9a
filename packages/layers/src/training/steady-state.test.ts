import type { Counters, Gpu } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import { Adam, Dropout, Model, Sequential, type Batch, type Dataset, type TensorFunction } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';

/** Steps until everything is there that later ones use again. */
const WARM_UP = 3;
const STEPS = 8;

/** What one step added. */
function difference(from: Counters, to: Counters): Omit<Counters, 'dispatches'> {
  return {
    pipelines: to.pipelines - from.pipelines,
    submits: to.submits - from.submits,
    buffers: to.buffers - from.buffers,
    bindGroups: to.bindGroups - from.bindGroups,
  };
}

const onlySubmits = (submits: number): Omit<Counters, 'dispatches'> => ({
  pipelines: 0,
  submits,
  buffers: 0,
  bindGroups: 0,
});

function dataset(batch: Batch, count = STEPS): Dataset {
  return { batches: () => Array.from({ length: count }, () => batch), batchCount: count };
}

describe('a step like the one before it', () => {
  const gpu = withGpu();

  /** What each step after the first ones added, in an epoch of `fit`. */
  async function stepsOf(model: Model, batch: Batch): Promise<Omit<Counters, 'dispatches'>[]> {
    const seen: Counters[] = [];
    const onBatchEnd = (): void => {
      seen.push(gpu().counters());
    };
    await model.to(gpu()).fit(dataset(batch), { epochs: 1, callbacks: [{ onBatchEnd }] });
    model.dispose();
    return seen
      .slice(WARM_UP)
      .map((counters, index) => difference(seen[index + WARM_UP - 1] ?? counters, counters));
  }

  it('is one submit and nothing else when the last layers are tuned', async () => {
    const model = miniVgg().unfreezeLast(3);
    model.compile({ optimizer: 'rmsprop', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const batch = {
      x: { data: randoms(4 * 20 * 20 * 3), shape: [4, 20, 20, 3] },
      y: { data: Float32Array.of(0, 1, 1, 0), shape: [4, 1] },
      sampleWeight: { data: Float32Array.of(1, 2, 1, 1), shape: [4] },
    };
    expect(await stepsOf(model, batch)).toEqual(
      Array.from({ length: STEPS - WARM_UP }, () => onlySubmits(1)),
    );
  });

  it.each(['float32', 'mixed'] as const)(
    'is one submit and nothing else with pictures as bytes, chance, batch statistics and clipping, in %s',
    async (precision) => {
      const base = miniInception();
      const model = new Sequential({ inputShape: [33, 29, 3], layers: [new Dropout({ rate: 0.1 }), base] });
      model.precision = precision;
      const optimizer = new Adam({ globalClipNorm: 1 });
      model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      const data = Uint8Array.from({ length: 3 * 33 * 29 * 3 }, (_, i) => (i * 7919) % 256);
      const batch: Batch = {
        x: { data, shape: [3, 33, 29, 3], preprocess: 'tf' },
        y: { data: Uint8Array.of(0, 3, 1), shape: [3] },
      };
      expect(await stepsOf(model, batch)).toEqual(
        Array.from({ length: STEPS - WARM_UP }, () => onlySubmits(1)),
      );
    },
  );

  it("is one submit and nothing else with a loss and a metric of one's own", async () => {
    const model = miniVgg().unfreezeLast(3);
    const focal: TensorFunction = (yTrue, yPred) => {
      const p = yPred.clipByValue(1e-6, 1 - 1e-6);
      const right = yTrue.mul(p).add(yTrue.neg().add(1).mul(p.neg().add(1)));
      return right.neg().add(1).square().mul(right.log()).neg().mean(-1);
    };
    const error: TensorFunction = (yTrue, yPred) => yPred.sub(yTrue).abs();
    model.compile({ optimizer: 'adam', loss: focal, metrics: [error] });
    const batch = {
      x: { data: randoms(4 * 20 * 20 * 3), shape: [4, 20, 20, 3] },
      y: { data: Float32Array.of(0, 1, 1, 0), shape: [4, 1] },
      sampleWeight: { data: Float32Array.of(1, 2, 1, 1), shape: [4] },
    };
    expect(await stepsOf(model, batch)).toEqual(
      Array.from({ length: STEPS - WARM_UP }, () => onlySubmits(1)),
    );
  });

  it('is one submit and nothing else in a prediction, of several outputs too', async () => {
    const whole = miniInception().to(gpu());
    const model = new Model({
      inputs: whole.inputs,
      outputs: [...whole.outputs, whole.getLayer('avg_pool').output],
    }).to(gpu());
    const x = { data: randoms(2 * 33 * 29 * 3), shape: [2, 33, 29, 3] };
    const seen: Counters[] = [];
    for await (const { outputs } of model.predictBatches(dataset({ x }))) {
      expect(outputs).toHaveLength(2);
      seen.push(gpu().counters());
    }
    const first = seen[WARM_UP - 1];
    // The next batch is on its way when one comes out, but for the last two.
    const last = seen.at(-2);
    if (first === undefined || last === undefined) throw new Error('not enough batches');
    expect(difference(first, last)).toEqual(onlySubmits(STEPS - 1 - WARM_UP));
    model.dispose();
    whole.dispose();
  });

  it('is one submit and nothing else in an evaluation', async () => {
    const model = miniVgg().to(gpu());
    model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const batch = {
      x: { data: randoms(4 * 20 * 20 * 3), shape: [4, 20, 20, 3] },
      y: { data: Float32Array.of(0, 1, 1, 0), shape: [4, 1] },
    };
    const evaluate = async (count: number): Promise<Omit<Counters, 'dispatches'>> => {
      const before = gpu().counters();
      await model.evaluate(dataset(batch, count));
      return difference(before, gpu().counters());
    };
    await evaluate(2);
    // One more submit for the sums that are read at the end.
    expect(await evaluate(3)).toEqual(onlySubmits(4));
    model.dispose();
  });
});

describe('memory between epochs', () => {
  const gpu = withGpu();

  it('stays where it was, at its peak too', async () => {
    const model = miniInception().to(gpu()).unfreezeLast(5);
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    const batch = {
      x: { data: randoms(4 * 33 * 29 * 3), shape: [4, 33, 29, 3] },
      y: { data: Uint8Array.of(0, 1, 2, 3), shape: [4] },
    };
    const after = async (open: Gpu): Promise<unknown> => {
      await model.fit(dataset(batch), { epochs: 1 });
      return open.memory();
    };
    const first = await after(gpu());
    expect(await after(gpu())).toEqual(first);
    model.dispose();
  });
});
