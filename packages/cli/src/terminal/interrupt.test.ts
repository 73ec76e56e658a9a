import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askToEnd, interruptible, Interrupted } from './interrupt.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('leaves a job to itself that does not stop within seconds', async () => {
  const running = interruptible(() => new Promise(() => undefined));
  const outcome = expect(running).rejects.toThrow(Interrupted);
  askToEnd('SIGINT');
  await vi.advanceTimersByTimeAsync(5000);
  await outcome;
});

it('waits for a job that asks for more time to save something', async () => {
  let saved = false;
  const running = interruptible(async (interruption) => {
    interruption.graceMs = 60_000;
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    expect(interruption.signal.aborted).toBe(true);
    saved = true;
  });
  const outcome = expect(running).rejects.toThrow(Interrupted);
  askToEnd('SIGINT');
  await vi.advanceTimersByTimeAsync(29_000);
  expect(saved).toBe(false);
  await vi.advanceTimersByTimeAsync(1000);
  await outcome;
  expect(saved).toBe(true);
});
