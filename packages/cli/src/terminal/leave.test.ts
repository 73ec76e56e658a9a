import { closeAllGpus } from '@convbase/core-gpu/node';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { exitCodeOf, leave } from './leave.ts';

vi.mock('@convbase/core-gpu/node', () => ({ closeAllGpus: vi.fn(() => Promise.resolve()) }));

/** What became of the process, in order. */
let events: string[];

beforeEach(() => {
  events = [];
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    events.push(`exit ${String(code)}`);
    return undefined as never;
  });
  vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
    events.push(`kill ${String(signal)}, ${String(process.listenerCount(String(signal)))} listen`);
    return true;
  });
  vi.spyOn(process, 'getActiveResourcesInfo').mockReturnValue(['Timeout', 'PipeWrap']);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('ends when what was printed has been written and the GPU is done', async () => {
  let done: () => void = () => undefined;
  vi.mocked(closeAllGpus).mockReturnValueOnce(new Promise((resolve) => (done = resolve)));
  const leaving = leave(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(events).toEqual([]);
  done();
  await leaving;
  expect(events).toEqual(['exit 1']);
});

it('ends at once where nothing works any more', async () => {
  await leave(130, 500);
  expect(events).toEqual(['exit 130']);
});

it.each([
  [130, 'SIGINT'],
  [0, 'SIGPIPE'],
])(
  'with exit code %i ends by %s, without running anything, where that lasts too long',
  async (code, signal) => {
    process.on(signal, () => undefined);
    vi.mocked(closeAllGpus).mockReturnValueOnce(new Promise(() => undefined));
    void leave(code, 500);
    await vi.advanceTimersByTimeAsync(490);
    expect(events).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(events[0]).toBe(`kill ${signal}, 0 listen`);
  },
);

it('does not wait for a network that does not answer, which process.exit would', async () => {
  vi.spyOn(process, 'getActiveResourcesInfo').mockReturnValue(['GetAddrInfoReqWrap']);
  void leave(130, 500);
  await vi.advanceTimersByTimeAsync(500);
  expect(events[0]).toBe('kill SIGINT, 0 listen');
});

it('knows the exit codes', () => {
  expect((['SIGINT', 'SIGTERM', 'SIGHUP', 'no reader', 'unwritable'] as const).map(exitCodeOf)).toEqual([
    130, 130, 130, 0, 1,
  ]);
});
