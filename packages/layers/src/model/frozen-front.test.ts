import { describe, expect, it } from 'vitest';
import { BatchNormalization, CallContext, Dropout, Sequential, Tape, tensor, type Model } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';
import { planSteps } from './steps.ts';

/** A small Inception behind a layer that is random in training, as augmentation is. */
function behindChance(): { model: Model; base: Model } {
  const base = miniInception();
  const shape = [33, 29, 3];
  const model = new Sequential({ inputShape: shape, layers: [new Dropout({ rate: 0.1 }), base] });
  return { model, base };
}

const normalisations = (model: Model): BatchNormalization[] =>
  model.layers.filter((layer) => layer instanceof BatchNormalization);

describe('a frozen front that cannot be computed once', () => {
  const gpu = withGpu();

  /** One forward pass in training: what the tape remembers, and the bytes that stay for backward. */
  const forward = (model: Model): { entries: number; bytes: number } => {
    const x = tensor(gpu(), randoms(2 * 33 * 29 * 3), [2, 33, 29, 3]);
    // Weights are uploaded and folded in a first pass.
    for (const output of model.call([x], new CallContext(gpu(), true))) output.dispose();
    const before = gpu().memory().liveBytes;
    const tape = new Tape();
    const context = new CallContext(gpu(), true, tape, new Set(model.trainableWeights));
    const outputs = model.call([x], context);
    const entries = tape.length;
    for (const output of outputs) output.dispose();
    const bytes = gpu().memory().liveBytes - before;
    tape.dispose();
    x.dispose();
    return { entries, bytes };
  };

  it('leaves nothing for backward, and folds its normalisation', () => {
    const { model, base } = behindChance();
    model.to(gpu());
    const all = forward(model);
    base.unfreezeLast(1);
    const head = forward(model);
    // The dense layer's product and its softmax; their inputs and outputs are a few hundred bytes.
    expect(head.entries).toBe(2);
    expect(all.entries).toBeGreaterThan(20);
    expect(head.bytes).toBeLessThan(2048);
    expect(all.bytes).toBeGreaterThan(100 * head.bytes);

    const context = new CallContext(gpu(), true, new Tape(), new Set(model.trainableWeights));
    const layers = planSteps(base.graph, context).map(({ layer }) => layer);
    expect(layers.filter((layer) => layer instanceof BatchNormalization)).toEqual([]);
    model.dispose();
  });

  it('keeps its statistics, while those of trainable normalisation move', async () => {
    const { model, base } = behindChance();
    model.to(gpu()).compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    base.unfreezeFrom('conv2d_7');
    const norms = normalisations(base);
    const statistics = (): Promise<Float32Array[]> =>
      Promise.all(norms.map(({ moving }) => moving.mean.read()));
    const before = await statistics();
    const x = { data: randoms(2 * 33 * 29 * 3), shape: [2, 33, 29, 3] };
    const y = { data: Float32Array.of(1, 0, 0, 0, 0, 0, 1, 0), shape: [2, 4] };
    await model.trainOnBatch({ x, y });
    const after = await statistics();
    const moved = norms.filter((_, index) => after[index]?.some((value, i) => value !== before[index]?.[i]));
    expect(moved.map(({ name }) => name)).toEqual(
      norms.filter(({ trainable }) => trainable).map(({ name }) => name),
    );
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThan(norms.length);
    model.dispose();
  });
});
