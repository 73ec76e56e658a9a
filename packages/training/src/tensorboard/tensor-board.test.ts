import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Dense, InputLayer, Sequential, type Callback, type Logs } from '@convbase/layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tensorBoard } from './tensor-board.ts';
import { readEvents } from './testing.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'convbase-events-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const model = new Sequential({
  layers: [
    new InputLayer({ shape: [3] }),
    new Dense({ units: 2, name: 'hidden' }),
    new Dense({ units: 1, name: 'out' }),
  ],
});
model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });

const logs: Logs[] = [0, 1, 2, 3].map((epoch) => ({
  loss: 1 / (1 + epoch),
  accuracy: 0.5 + epoch / 8,
  val_loss: 2 / (1 + epoch),
}));

async function epochs(callback: Callback, first: number, end: number): Promise<void> {
  for (let epoch = first; epoch < end; epoch++) {
    model.compiled.optimizer.iterations = (epoch + 1) * 10;
    await callback.onEpochEnd?.(epoch, { ...logs[epoch] }, () => Promise.reject(new Error('not asked for')));
  }
}

/** A callback that was told its model. */
function started(into = folder): Callback {
  const callback = tensorBoard(into, { histogramFrequency: 2 });
  callback.setModel?.(model);
  return callback;
}

/** Each event in one line. */
function linesOf(run: string): string[] {
  return readEvents(join(folder, run)).map(({ step, version, tag, plugin, values }) => {
    const content = values?.length === 1 ? values[0] : values?.length;
    return version ?? [step, tag, plugin, content].join(' ');
  });
}

describe('tensorBoard', () => {
  it('looks only at what learns, if asked to', async () => {
    const [hidden] = model.layers;
    if (hidden === undefined) throw new Error('no layer');
    hidden.trainable = false;
    try {
      const callback = tensorBoard(folder, { histogramFrequency: 1, histogramsOf: 'trainableWeights' });
      callback.setModel?.(model);
      await epochs(callback, 0, 1);
      expect(linesOf('train').filter((line) => line.includes('histogram'))).toEqual([
        '0 out/kernel/histogram histograms 90',
        '0 out/bias/histogram histograms 90',
      ]);
    } finally {
      hidden.trainable = true;
    }
  });

  it("writes Keras' tags into Keras' folders", async () => {
    await epochs(started(), 0, 3);
    const rate = Math.fround(0.001);
    const histograms = (epoch: number): string[] =>
      ['hidden/kernel', 'hidden/bias', 'out/kernel', 'out/bias'].map(
        (path) => `${epoch} ${path}/histogram histograms 90`,
      );
    const scalars = (epoch: number): string[] => [
      `${epoch} epoch_loss scalars ${Math.fround(1 / (1 + epoch))}`,
      `${epoch} epoch_accuracy scalars ${0.5 + epoch / 8}`,
      `${epoch} epoch_learning_rate scalars ${rate}`,
    ];
    expect(linesOf('train')).toEqual([
      'brain.Event:2',
      ...scalars(0),
      ...histograms(0),
      ...scalars(1),
      ...scalars(2),
      ...histograms(2),
    ]);
    expect(linesOf('validation')).toEqual([
      'brain.Event:2',
      ...[0, 1, 2].flatMap((epoch) => [
        `${(epoch + 1) * 10} evaluation_loss_vs_iterations scalars ${Math.fround(2 / (1 + epoch))}`,
        `${epoch} epoch_loss scalars ${Math.fround(2 / (1 + epoch))}`,
      ]),
    ]);
    const [name = ''] = readdirSync(join(folder, 'train'));
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\.[\w-]+\.\d+\.\d+\.v2$/);
  });

  it('makes no folder for what there is nothing to tell of', async () => {
    const callback = tensorBoard(folder);
    await callback.onEpochEnd?.(0, { loss: 1 }, () => Promise.reject(new Error('not asked for')));
    expect(linesOf('train')).toEqual(['brain.Event:2', '0 epoch_loss scalars 1']);
    expect(existsSync(join(folder, 'validation'))).toBe(false);
  });

  it('doubles and loses nothing after a kill, wherever the checkpoint was', async () => {
    const content = (run: string): string[] => linesOf(run).filter((line) => line !== 'brain.Event:2');
    await epochs(started(), 0, 4);
    const whole = { train: content('train'), validation: content('validation') };
    for (let checkpoint = 0; checkpoint <= 3; checkpoint++) {
      for (let killed = checkpoint; killed <= 4; killed++) {
        for (const run of ['train', 'validation'])
          rmSync(join(folder, run), { recursive: true, force: true });
        const first = started();
        await epochs(first, 0, checkpoint);
        const state = JSON.stringify(await first.getState!());
        await epochs(first, checkpoint, killed);
        for (const run of ['train', 'validation']) {
          for (const name of existsSync(join(folder, run)) ? readdirSync(join(folder, run)) : []) {
            appendFileSync(join(folder, run, name), 'torn');
          }
        }
        const second = started();
        await second.setState!(JSON.parse(state) as Awaited<ReturnType<NonNullable<Callback['getState']>>>);
        await epochs(second, checkpoint, 4);
        const after = { train: content('train'), validation: content('validation') };
        expect(after, `checkpoint ${checkpoint}, killed ${killed}`).toEqual(whole);
      }
    }
  });

  it('leaves files of others alone, and refuses the state of something else', async () => {
    const callback = started();
    await epochs(callback, 0, 1);
    writeFileSync(join(folder, 'train', 'notes.txt'), 'mine');
    await callback.setState!({ json: { train: {}, validation: {} } });
    expect(readdirSync(join(folder, 'train'))).toEqual(['notes.txt']);
    await expect(async () => callback.setState!({ json: 'csv' })).rejects.toMatchObject({
      code: 'state/mismatch',
    });
  });

  it('counts the weights anew only when they have changed', async () => {
    const callback = started();
    await epochs(callback, 0, 1);
    const bias = model.getWeight('out/bias');
    bias.assign(Float32Array.of(7));
    await epochs(callback, 2, 3);
    const biases = readEvents(join(folder, 'train')).filter(({ tag }) => tag === 'out/bias/histogram');
    expect(biases.map(({ values }) => values?.[0])).toEqual([0, 7]);
    bias.assign(Float32Array.of(0));
  });
});

const python = process.env['CONVBASE_KERAS_PYTHON'];
const hasTensorBoard =
  python !== undefined && spawnSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' }).status === 0;

describe.skipIf(!hasTensorBoard)('with the TensorBoard of CONVBASE_KERAS_PYTHON', () => {
  it('reads what was written, through a resume', async () => {
    const first = started();
    await epochs(first, 0, 2);
    const state = await first.getState!();
    await epochs(first, 2, 3);
    const second = started();
    await second.setState!(state);
    await epochs(second, 2, 4);
    const script = fileURLToPath(new URL('../../fixtures/read_events.py', import.meta.url));
    const { stdout, stderr, status } = spawnSync(python!, [script, folder], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const pairs = (value: (epoch: number) => number): number[][] =>
      [0, 1, 2, 3].map((epoch) => [epoch, Math.fround(value(epoch))]);
    const { train, validation } = JSON.parse(stdout) as Record<
      string,
      { scalars: unknown; histograms: unknown }
    >;
    expect(train?.scalars).toEqual({
      epoch_loss: pairs((epoch) => 1 / (1 + epoch)),
      epoch_accuracy: pairs((epoch) => 0.5 + epoch / 8),
      epoch_learning_rate: pairs(() => 0.001),
    });
    expect(validation?.scalars).toEqual({
      epoch_loss: pairs((epoch) => 2 / (1 + epoch)),
      evaluation_loss_vs_iterations: pairs((epoch) => 2 / (1 + epoch)).map(([epoch, loss]) => [
        (epoch! + 1) * 10,
        loss,
      ]),
    });
    const kernel = await model.getWeight('hidden/kernel').read();
    const range = [kernel.length, Math.min(...kernel), Math.max(...kernel)];
    expect(train?.histograms).toMatchObject({
      'hidden/kernel/histogram': [
        [0, ...range],
        [2, ...range],
      ],
    });
  });
});
