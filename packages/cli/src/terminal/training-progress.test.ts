import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { linesOf, trainingProgress } from './training-progress.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const results = {
  val_loss: 0.25,
  loss: 0.1234,
  accuracy: 0.91234,
  val_accuracy: 0.9,
  learning_rate: 0.00001,
};

describe('linesOf', () => {
  it("is Keras' line, and a second one where the terminal is too narrow", () => {
    expect(linesOf(63, 100, ['ETA 12s', '45ms/step'], { loss: 0.5, accuracy: 1 }, 80)).toEqual([
      ' 63/100 ━━━━━━━━━━━──────── ETA 12s 45ms/step - accuracy: 1.0000 - loss: 0.5000',
    ]);
    expect(linesOf(100, 100, ['5s', '45ms/step'], results, 80)).toEqual([
      '100/100 ━━━━━━━━━━━━━━━━━━━━ 5s 45ms/step - accuracy: 0.9123',
      '        learning_rate: 1.0000e-05 - loss: 0.1234 - val_accuracy: 0.9000',
      '        val_loss: 0.2500',
    ]);
    expect(linesOf(5, undefined, ['45ms/step'], { loss: Number.NaN })).toEqual([
      '5/Unknown 45ms/step - loss: nan',
    ]);
  });
  it('never fills a line', () => {
    for (let columns = 5; columns < 160; columns++) {
      for (const line of linesOf(1234, 40_000, ['ETA 1h05m', '320us/step'], results, columns)) {
        expect(line.length).toBeLessThan(columns);
      }
    }
  });
});

/** Two epochs of four steps of 100 ms, the very first step of 2 s, with a line in between; what the stream got. */
async function shown(stream: PassThrough): Promise<string> {
  const epochs = 2;
  const progress = trainingProgress({ epochs, stream: stream as unknown as NodeJS.WriteStream });
  const nothing = (): Promise<never> => Promise.reject(new Error('not asked for'));
  for (let epoch = 0; epoch < epochs; epoch++) {
    await progress.onEpochBegin?.(epoch);
    for (let batch = 0; batch < 4; batch++) {
      vi.advanceTimersByTime(epoch === 0 && batch === 0 ? 2000 : 100);
      await progress.onBatchEnd?.(epoch, batch, nothing, nothing);
      if (batch !== 1) continue;
      await progress.onProgress?.({
        epoch,
        epochs,
        batch: 2,
        batchCount: 4,
        samples: 40,
        logs: { loss: 0.7 },
      });
      if (epoch === 1) progress.say('a line');
    }
    await progress.onEpochEnd?.(epoch, { loss: 0.5, val_loss: 0.6 }, nothing);
  }
  await progress.onTrainEnd?.();
  return String(stream.read());
}

const CLEAR = '\r\u001b[2K';

describe('trainingProgress', () => {
  it('prints one plain line for each epoch in a pipe', async () => {
    expect(await shown(new PassThrough())).toBe(
      'Epoch 1/2 - 2s - 100ms/step - loss: 0.5000 - val_loss: 0.6000\n' +
        'a line\n' +
        'Epoch 2/2 - 0s - 100ms/step - loss: 0.5000 - val_loss: 0.6000\n',
    );
  });
  it('draws over its line on a terminal and leaves the results of each epoch', async () => {
    const text = await shown(Object.assign(new PassThrough(), { isTTY: true, columns: 80 }));
    const full = '━'.repeat(20);
    const half = '━'.repeat(10) + '─'.repeat(10);
    const standing = text.split('\n').map((line) => line.split(CLEAR).at(-1));
    expect(standing).toEqual([
      'Epoch 1/2',
      `4/4 ${full} 2s 100ms/step - loss: 0.5000 - val_loss: 0.6000`,
      'Epoch 2/2',
      'a line',
      `4/4 ${full} 0s 100ms/step - loss: 0.5000 - val_loss: 0.6000`,
      '',
    ]);
    expect(text).toContain(`${CLEAR}2/4 ${half} ETA 0s 100ms/step - loss: 0.7000`);
  });
  it('leaves its line when training is stopped', async () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const progress = trainingProgress({
      epochs: 1,
      steps: 10,
      stream: stream as unknown as NodeJS.WriteStream,
    });
    await progress.onEpochBegin?.(0);
    vi.advanceTimersByTime(3000);
    const nothing = (): Promise<never> => Promise.reject(new Error('not asked for'));
    await progress.onBatchEnd?.(0, 0, nothing, nothing);
    await progress.onAbort?.({ epoch: 0, batch: 1, totals: null });
    expect(String(stream.read())).toBe(`Epoch 1/1\n${CLEAR} 1/10 ━━${'─'.repeat(18)} ETA 27s 3s/step\n`);
  });
});
