import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { barLine, createProgress, duration, remaining } from './progress.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('duration', () => {
  it.each([
    [0, '0s'],
    [59_400, '59s'],
    [61_000, '1m01s'],
    [3_900_000, '1h05m'],
  ])('%i ms is %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});

describe('remaining', () => {
  it('extrapolates, is silent at first and tells the time taken at the end', () => {
    expect(remaining(500, 5, 10)).toBe('');
    expect(remaining(10_000, 5, 20)).toBe('ETA 30s');
    expect(remaining(10_000, 20, 20)).toBe('10s');
  });
});

describe('barLine', () => {
  it('is never as wide as the terminal', () => {
    const state = { done: 1234, total: 40_000, note: 'loss 0.1234  accuracy 0.9876' };
    for (let columns = 20; columns < 200; columns++) {
      expect(barLine('train', state, 'ETA 1h05m', columns).length).toBeLessThan(columns);
    }
    expect(barLine('train', state, 'ETA 1h05m', 80)).toBe(
      'train [#                ]   1234/40000  ETA 1h05m  loss 0.1234  accuracy 0.9876',
    );
    expect(barLine('extract', { done: 5, total: 10, note: '' }, '', 30)).toBe(
      'extract [######      ]   5/10',
    );
  });
});

/** What a stream got so far, as lines. */
function written(stream: PassThrough): string[] {
  return String(stream.read()).trimEnd().split('\n');
}

describe('createProgress in a pipe', () => {
  it('prints whole lines now and then, and always the last state, once', () => {
    const stream = new PassThrough();
    const progress = createProgress('extract', stream as unknown as NodeJS.WriteStream);
    for (let i = 0; i <= 100; i++) {
      progress.update(i, 200);
      vi.advanceTimersByTime(100);
    }
    progress.stop();
    progress.stop();
    const lines = written(stream);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.length).toBeLessThan(8);
    expect(lines.at(-1)).toBe('extract 100/200  ETA 10s');
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('says once that a job is done, however often it is told', () => {
    const stream = new PassThrough();
    const progress = createProgress('extract', stream as unknown as NodeJS.WriteStream);
    for (let i = 0; i < 2; i++) {
      progress.update(2, 2);
      vi.advanceTimersByTime(2000);
      progress.update(2, 2);
      progress.stop();
    }
    // The second is a job of its own.
    expect(written(stream)).toEqual(['extract 2/2', 'extract 2/2']);
  });

  it('reckons from where a resumed job began', () => {
    const stream = new PassThrough();
    const progress = createProgress('extract', stream as unknown as NodeJS.WriteStream);
    progress.update(3000, 4000);
    vi.advanceTimersByTime(10_000);
    progress.update(3100, 4000);
    expect(written(stream)).toEqual(['extract 3100/4000  ETA 1m30s']);
  });
});

describe('createProgress on a terminal', () => {
  it('draws over its line, and lets lines pass above it', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 40 });
    const progress = createProgress('extract', stream as unknown as NodeJS.WriteStream);
    progress.update(0, 10);
    progress.say('skipped: a.png');
    progress.update(10, 10);
    progress.stop();
    const [first, second, third] = ['0/10'.padStart(5), '0/10'.padStart(5), '10/10'].map((numbers, i) => {
      const bar = (i === 2 ? '#' : ' ').repeat(22);
      return `\r\u001b[2Kextract [${bar}]  ${numbers}`;
    });
    expect(String(stream.read())).toBe(`${first}\r\u001b[2Kskipped: a.png\n${second}${third}${third}\n`);
  });
});
