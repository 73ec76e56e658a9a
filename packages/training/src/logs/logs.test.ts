import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Callback, FitPosition } from '@convbase/layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csvLogger, historyFile, jsonLines, parseHistory } from './index.ts';
import { pythonFloat } from './python-float.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'convbase-logs-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const position = (): Promise<FitPosition> => Promise.reject(new Error('logs need no position'));

/** What `fit` does with a callback, with given logs for each epoch. */
async function train(callback: Callback, logs: readonly Record<string, number>[], first = 0): Promise<void> {
  await callback.onTrainBegin?.();
  for (const [index, values] of logs.entries()) {
    await callback.onEpochBegin?.(first + index);
    await callback.onEpochEnd?.(first + index, values, position);
  }
  await callback.onTrainEnd?.();
}

describe('pythonFloat', () => {
  // repr() of Python 3.11.
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-3, '-3.0'],
    [0.7054578065872192, '0.7054578065872192'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [0.0000123, '1.23e-05'],
    [1e-7, '1e-07'],
    [5e-324, '5e-324'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1e22, '1e+22'],
    [Number.NaN, 'nan'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
  ])('%d is %s', (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });
});

describe('csvLogger', () => {
  // The file that Keras 3.15's CSVLogger wrote with these logs.
  const logs = [
    {
      accuracy: 0.4000000059604645,
      loss: 0.7054578065872192,
      val_accuracy: 0.4000000059604645,
      val_loss: 0.7043246030807495,
    },
    {
      accuracy: 0.4000000059604645,
      loss: 0.7043246030807495,
      val_accuracy: 0.4000000059604645,
      val_loss: 0.7032052278518677,
    },
  ];
  const header = 'epoch,accuracy,loss,val_accuracy,val_loss\r\n';
  const rows = [
    '0,0.4000000059604645,0.7054578065872192,0.4000000059604645,0.7043246030807495\r\n',
    '1,0.4000000059604645,0.7043246030807495,0.4000000059604645,0.7032052278518677\r\n',
  ];

  it("writes Keras' file", async () => {
    const path = join(folder, 'run', 'history.csv');
    await train(csvLogger(path), logs);
    expect(readFileSync(path, 'utf8')).toBe(header + rows.join(''));
  });
  it('starts a file anew, or appends without a second header', async () => {
    const path = join(folder, 'history.csv');
    writeFileSync(path, 'old');
    await train(csvLogger(path), logs);
    await train(csvLogger(path, { append: true }), logs, 2);
    const more = rows.map((row, index) => row.replace(/^\d/, String(2 + index)));
    expect(readFileSync(path, 'utf8')).toBe([header, ...rows, ...more].join(''));
    await train(csvLogger(path), logs);
    expect(readFileSync(path, 'utf8')).toBe(header + rows.join(''));
  });
  it('keeps its columns: empty ones for validation to come, NA for what is missing, nothing for what is new', async () => {
    const path = join(folder, 'a.csv');
    await train(csvLogger(path, { separator: ';' }), [
      { loss: 1 },
      { val_loss: 0.5, learning_rate: 1e-5, loss: 2 },
      {},
    ]);
    expect(readFileSync(path, 'utf8')).toBe('epoch;loss;val_loss\r\n0;1.0;NA\r\n1;2.0;0.5\r\n2;NA;NA\r\n');
    await train(csvLogger(path, { separator: ';', append: true }), [{ accuracy: 1, loss: 3 }], 3);
    expect(readFileSync(path, 'utf8').split('\r\n').at(-2)).toBe('3;3.0;NA');
  });
  it('quotes names only where they would be misread', async () => {
    const path = join(folder, 'a.csv');
    await train(csvLogger(path), [{ 'top, 5': 1, 'a "b"': 2, val_x: 3 }]);
    expect(readFileSync(path, 'utf8')).toBe('epoch,"a ""b""","top, 5",val_x\r\n0,2.0,1.0,3.0\r\n');
  });
  it('shows control characters in names, in a file that is continued too', async () => {
    const [name, path] = ['a\u001b[2J\nb', join(folder, 'log.csv')];
    await train(csvLogger(path), [{ [name]: 1, val_x: 2 }]);
    await train(csvLogger(path, { append: true }), [{ [name]: 3, val_x: 4 }], 1);
    expect(readFileSync(path, 'utf8')).toBe('epoch,a\\x1b[2J\\nb,val_x\r\n0,1.0,2.0\r\n1,3.0,4.0\r\n');
  });
  it('drops the line that a killed run did not finish', async () => {
    const path = join(folder, 'a.csv');
    await train(csvLogger(path), logs);
    appendFileSync(path, '2,0.40');
    await train(csvLogger(path, { append: true }), logs.slice(0, 1), 2);
    expect(readFileSync(path, 'utf8')).toBe(header + rows.join('') + rows[0]!.replace('0', '2'));
  });
  it('refuses separators that separate nothing', () => {
    for (const separator of ['', ', ', '"', '\n']) {
      expect(() => csvLogger('a.csv', { separator })).toThrow(/cannot separate/);
    }
  });
  it('says what is in the way', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(train(csvLogger(join(folder, 'file', 'a.csv')), logs)).rejects.toMatchObject({
      code: 'file/kind',
      where: join(folder, 'file'),
    });
  });
});

/** Three logs of one interface: what each has in its file. */
const kinds = {
  csvLogger: (path: string) => csvLogger(path),
  jsonLines: (path: string) => jsonLines(path),
  historyFile: (path: string) => historyFile(path),
};

describe.each(Object.entries(kinds))('%s after a kill', (_name, make) => {
  const logs = [{ loss: 1 }, { loss: 0.5 }, { loss: 0.25 }, { loss: 0.125 }];
  const contents = (path: string): string => readFileSync(path, 'utf8').replaceAll(/"time":"[^"]*"/g, '');

  it('doubles and loses nothing, wherever the checkpoint was', async () => {
    const whole = join(folder, 'whole');
    await train(make(whole), logs);
    for (let checkpoint = 0; checkpoint <= 3; checkpoint++) {
      for (let killed = checkpoint; killed <= 4; killed++) {
        const path = join(folder, `${checkpoint}-${killed}`);
        const first = make(path);
        await train(first, logs.slice(0, checkpoint));
        const state = structuredClone(await first.getState!());
        for (let epoch = checkpoint; epoch < killed; epoch++) {
          await first.onEpochEnd!(epoch, { ...logs[epoch]! }, position);
        }
        if (killed === 4) rmSync(path, { force: true });
        const second = make(path);
        await second.setState!(JSON.parse(JSON.stringify(state)) as typeof state);
        await train(second, logs.slice(checkpoint), checkpoint);
        expect(contents(path), `checkpoint ${checkpoint}, killed ${killed}`).toBe(contents(whole));
      }
    }
  });
  it('refuses the state of something else', async () => {
    await expect(async () => make(join(folder, 'a')).setState!({ json: { x: 1 } })).rejects.toThrow(
      /no text|no history/,
    );
  });
});

describe('jsonLines', () => {
  it('is one object for each epoch, with null for what JSON lacks', async () => {
    const path = join(folder, 'log.jsonl');
    const before = Date.now();
    const log = jsonLines(path);
    log.setModel?.({ compiled: { optimizer: { learningRate: 0.001 } } } as never);
    await train(log, [{ loss: Number.NaN, accuracy: 0.5 }, { loss: Infinity }]);
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { time: string });
    expect(lines).toEqual([
      {
        time: expect.any(String) as string,
        epoch: 0,
        learningRate: 0.001,
        logs: { loss: null, accuracy: 0.5 },
      },
      { time: expect.any(String) as string, epoch: 1, learningRate: 0.001, logs: { loss: null } },
    ]);
    expect(Date.parse(lines[0]!.time)).toBeGreaterThanOrEqual(before);
  });
});

describe('historyFile', () => {
  it('is there from the beginning, goes on through several fits and fills gaps with null', async () => {
    const path = join(folder, 'history.json');
    const file = historyFile(path);
    await file.onTrainBegin!();
    expect(existsSync(path)).toBe(true);
    await train(file, [{ loss: 1 }, { loss: 0.5, val_loss: 2 }]);
    await train(file, [{ val_loss: 1 }], 2);
    const expected = { epoch: [0, 1, 2], history: { loss: [1, 0.5, null], val_loss: [null, 2, 1] } };
    expect(parseHistory(JSON.parse(readFileSync(path, 'utf8')), path)).toEqual(expected);
    expect(file.data).toEqual(expected);
  });
  it('refuses a history whose columns differ in length', () => {
    expect(() => parseHistory({ epoch: [0], history: { loss: [1, 2] } }, 'x.json')).toThrow(/x.json/);
  });
});
