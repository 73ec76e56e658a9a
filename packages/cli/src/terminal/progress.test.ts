import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress, duration, remaining } from './progress.ts';

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
    expect(remaining(0, 5, 10, 500)).toBe('');
    expect(remaining(0, 5, 20, 10_000)).toBe('ETA 30s');
    expect(remaining(0, 20, 20, 10_000)).toBe('10s');
  });
});

describe('createProgress in a pipe', () => {
  it('prints whole lines now and then, and always the last state', () => {
    const stream = new PassThrough();
    const progress = createProgress('extract', stream as unknown as NodeJS.WriteStream);
    for (let i = 1; i <= 100; i++) {
      progress.update(i, 200);
      vi.advanceTimersByTime(100);
    }
    progress.stop();
    const lines = String(stream.read()).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.length).toBeLessThan(8);
    expect(lines.at(-1)).toMatch(/^extract 100\/200 ETA 10s$/);
    for (const line of lines) expect(line).not.toContain('\u001b');
  });
});
