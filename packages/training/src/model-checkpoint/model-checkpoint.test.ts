import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dense, InputLayer, Sequential, type Logs, type Model } from '@convbase/layers';
import { loadModel } from '@convbase/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatPath } from './format-path.ts';
import { ModelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint.ts';

describe('formatPath', () => {
  const values = { loss: 0.123456, val_loss: 0.00001234, 'top 5': 1 };
  // Each as Python 3.11 formats it.
  it.each([
    ['{epoch:02d}-{val_loss:.2f}.keras', '03-0.00.keras'],
    ['{epoch}-{loss}', '3-0.123456'],
    ['{epoch:>4}{epoch:<4}|{epoch:^5}|', '   33   |  3  |'],
    ['{epoch:04}', '0003'],
    ['{epoch:.1f}', '3.0'],
    ['{val_loss}', '1.234e-05'],
    ['{loss:8.3f}', '   0.123'],
    ['{loss:.3e} {loss:.1E} {loss:.0%}', '1.235e-01 1.2E-01 12%'],
    ['{top 5:x>6}', 'xxx1.0'],
    ['{{epoch}}', '{epoch}'],
  ])('%s', (pattern, expected) => {
    expect(formatPath(pattern, { epoch: 3 }, values)).toBe(expected);
  });
  it.each([
    '{acc}',
    '{loss:d}',
    '{epoch:.2d}',
    '{loss',
    'loss}',
    '{loss:s}',
    '{constructor}',
    '{epoch:x}',
    '{}',
  ])('refuses %s', (pattern) => {
    expect(() => formatPath(pattern, { epoch: 3 }, values)).toThrow(
      expect.objectContaining({ code: 'checkpoint/path' }),
    );
  });
});

const model = new Sequential({
  layers: [new InputLayer({ shape: [4] }), new Dense({ units: 1, activation: 'sigmoid' })],
});
model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
const nothing = (): Promise<never> => Promise.reject(new Error('not asked for'));

/** Gives a checkpoint callback epochs with these logs; what it saved and said. */
async function watch(
  options: ModelCheckpointOptions,
  epochs: readonly Logs[],
): Promise<{ saved: string[]; said: string[] }> {
  const saved: string[] = [];
  const said: string[] = [];
  const checkpoint = new ModelCheckpoint({
    save: async (_model: Model, path: string) => void saved.push(path),
    print: (line) => said.push(line),
    ...options,
  });
  checkpoint.setModel(model);
  for (const [epoch, logs] of epochs.entries()) await checkpoint.onEpochEnd(epoch, logs);
  return { saved, said };
}

const losses = [0.5, 0.6, 0.4, 0.4, 0.3].map((val_loss) => ({ val_loss, val_accuracy: 1 - val_loss }));

describe('ModelCheckpoint', () => {
  it('saves each epoch, under the name of each', async () => {
    const { saved, said } = await watch({ path: '{epoch:02d}-{val_loss:.2f}.keras' }, losses);
    expect(saved).toEqual([
      '01-0.50.keras',
      '02-0.60.keras',
      '03-0.40.keras',
      '04-0.40.keras',
      '05-0.30.keras',
    ]);
    expect(said).toEqual([]);
  });
  it('saves what is better only, by less loss or more accuracy', async () => {
    const path = '{epoch}.keras';
    const expected = ['1.keras', '3.keras', '5.keras'];
    expect((await watch({ path, saveBestOnly: true }, losses)).saved).toEqual(expected);
    expect((await watch({ path, saveBestOnly: true, monitor: 'val_accuracy' }, losses)).saved).toEqual(
      expected,
    );
    const max = await watch({ path, saveBestOnly: true, mode: 'max' }, losses);
    expect(max.saved).toEqual(['1.keras', '2.keras']);
    const { saved } = await watch({ path, saveBestOnly: true, initialValueThreshold: 0.45 }, losses);
    expect(saved).toEqual(['3.keras', '5.keras']);
  });
  it("says what it does in Keras' words", async () => {
    const { said } = await watch({ path: 'a.keras', saveBestOnly: true, verbose: 1 }, losses.slice(0, 3));
    expect(said).toEqual([
      'Epoch 1: val_loss improved from None to 0.50000, saving model to a.keras',
      'Epoch 1: finished saving model to a.keras',
      'Epoch 2: val_loss did not improve from 0.50000',
      'Epoch 3: val_loss improved from 0.50000 to 0.40000, saving model to a.keras',
      'Epoch 3: finished saving model to a.keras',
    ]);
  });
  it('saves and warns where what it should watch is not there', async () => {
    const { saved, said } = await watch({ path: 'a.keras', saveBestOnly: true, monitor: 'val_x' }, [
      { loss: 1 },
    ]);
    expect(saved).toEqual(['a.keras']);
    expect(said).toEqual(['Can save best model only with val_x available.']);
    const unknown = watch({ path: 'a.keras', saveBestOnly: true, monitor: 'x' }, [{ x: 1 }, { x: 2 }]);
    await expect(unknown).rejects.toMatchObject({ code: 'callback/monitor' });
  });
  it('counts batches over the ends of epochs', async () => {
    const saved: string[] = [];
    const checkpoint = new ModelCheckpoint({
      path: '{epoch}-{batch}-{loss:.1f}.keras',
      saveFreq: 3,
      save: async (_model, path) => void saved.push(path),
    });
    checkpoint.setModel(model);
    for (let epoch = 0; epoch < 2; epoch++) {
      for (let batch = 0; batch < 5; batch++) {
        await checkpoint.onBatchEnd(epoch, batch, nothing, () => Promise.resolve({ loss: batch }));
      }
      await checkpoint.onEpochEnd(epoch, { loss: 1 });
    }
    expect(saved).toEqual(['1-3-2.0.keras', '2-1-0.0.keras', '2-4-3.0.keras']);
  });
  it('remembers the best through a resume', async () => {
    const options = { path: 'a.keras', saveBestOnly: true, save: async () => undefined } as const;
    const first = new ModelCheckpoint(options);
    first.setModel(model);
    await first.onEpochEnd(0, { val_loss: 0.1 + 0.2 });
    const second = new ModelCheckpoint(options);
    second.setState(JSON.parse(JSON.stringify(first.getState())) as ReturnType<typeof first.getState>);
    second.setModel(model);
    expect(second.best).toBe(0.1 + 0.2);
    await second.onEpochEnd(1, { val_loss: 0.4 });
    expect(second.saved).toBeUndefined();
  });
  it('refuses names that say no format', () => {
    expect(() => new ModelCheckpoint({ path: 'best.bin' })).toThrow(/\.keras or model\.json/);
    expect(() => new ModelCheckpoint({ path: 'best.keras', saveWeightsOnly: true })).toThrow(/\.weights\.h5/);
  });
});

describe('ModelCheckpoint without a save function', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'convbase-checkpoint-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes files that can be opened', async () => {
    const path = join(folder, 'new', '{epoch}.keras');
    const checkpoint = new ModelCheckpoint({ path });
    checkpoint.setModel(model);
    await checkpoint.onEpochEnd(0, { val_loss: 1 });
    const weights = new ModelCheckpoint({ path: join(folder, '{epoch}.weights.h5'), saveWeightsOnly: true });
    weights.setModel(model);
    await weights.onEpochEnd(0, { val_loss: 1 });
    expect(existsSync(join(folder, '1.weights.h5'))).toBe(true);
    expect(readdirSync(join(folder, 'new'))).toEqual(['1.keras']);
    const loaded = await loadModel(join(folder, 'new', '1.keras'));
    expect(await loaded.weights[0]?.read()).toEqual(await model.weights[0]?.read());
  });
});
