import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { interruptible, Interrupted } from './interrupt.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What Ctrl-C does, without the signal, which others might listen to. */
function pressCtrlC(): void {
  process.listeners('SIGINT').at(-1)?.('SIGINT');
}

it('leaves a job to itself that does not stop within seconds', async () => {
  const listeners = process.listenerCount('SIGINT');
  const running = interruptible(() => new Promise(() => undefined));
  const outcome = expect(running).rejects.toThrow(Interrupted);
  pressCtrlC();
  await vi.advanceTimersByTimeAsync(5000);
  await outcome;
  expect(process.listenerCount('SIGINT')).toBe(listeners);
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
  pressCtrlC();
  await vi.advanceTimersByTimeAsync(29_000);
  expect(saved).toBe(false);
  await vi.advanceTimersByTimeAsync(1000);
  await outcome;
  expect(saved).toBe(true);
});
