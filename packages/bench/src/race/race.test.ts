import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../protocol.ts';
import { Child } from './child.ts';
import { race, type Side } from './race.ts';
import { startRace } from './start-race.ts';

const task: Task = { kind: 'forward', model: 'vgg16', size: 48, batch: 1, materials: {} };
const options = { rounds: 3, budgetMs: 60_000, limitMs: 20_000 };
const runner = "{ name: 'fake', kind: 'cpu', versions: {} }";
const ready = `process.send({ kind: 'ready', runner: ${runner}, outputs: {}, cpuMilliseconds: 1 });`;

let folder = '';
let log = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-race-'));
  log = join(folder, 'log');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A contender's program: `start` is what it does first, `onRun` what it does when it is asked to run. */
function side(label: string, start: string, onRun = ''): Side {
  const file = join(folder, `${label}.mjs`);
  const body = `
    import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
    let runs = 0;
    process.on('message', (order) => {
      if (order === 'end') return process.send({ kind: 'ended', peakResidentBytes: 5 });
      runs++;
      appendFileSync(${JSON.stringify(log)}, ${JSON.stringify(label)});
      ${onRun}
    });
    ${start}`;
  writeFileSync(file, body);
  return { label, file, task };
}

const slow = "setTimeout(() => process.send({ kind: 'ran', milliseconds: 300, cpuMilliseconds: 1 }), 300);";

it('lets the sides take turns, and those that fail drop out', async () => {
  writeFileSync(log, '');
  const outcomes = await race(
    [
      side('a', ready, slow),
      side('b', ready, slow),
      side('c', ready, `if (runs === 1) { ${slow} } else { console.error('Error: boom'); process.exit(3); }`),
      side(
        'd',
        "process.send({ kind: 'failed', unsupported: true, message: 'cannot' }); setInterval(() => {}, 1000);",
      ),
    ],
    options,
  );
  expect(readFileSync(log, 'utf8')).toBe('abcabcab');
  expect(outcomes.map(({ label, timings }) => [label, timings.length])).toEqual([
    ['a', 3],
    ['b', 3],
    ['c', 0],
    ['d', 0],
  ]);
  expect(outcomes[0]).toMatchObject({ peakResidentBytes: 5, runner: { name: 'fake' } });
  expect(outcomes[2]?.error).toEqual({
    unsupported: false,
    message: 'the process ended with exit code 3: Error: boom',
  });
  expect(outcomes[3]?.error).toEqual({ unsupported: true, message: 'cannot' });
});

it.each([
  ['ends', 'process.exit(4)', 'the process ended with exit code 4'],
  ['hangs up', '{ process.disconnect(); setInterval(() => {}, 1000); }', 'Channel closed'],
])('goes on without a side that %s between its turns', async (label, then, message) => {
  const answer = "process.send({ kind: 'ran', milliseconds: 300, cpuMilliseconds: 1 }, () => ";
  const [other, gone] = await race(
    [side('other', ready, slow), side(label, ready, `setTimeout(() => ${answer} ${then}), 300);`)],
    options,
  );
  expect(other?.timings).toHaveLength(3);
  expect(gone?.error).toEqual({ unsupported: false, message });
});

it('reports a process that cannot be started', async () => {
  const node = process.execPath;
  process.execPath = join(folder, 'no-such-program');
  try {
    const child = new Child(join(folder, 'any.mjs'), task);
    expect(await child.next(5000)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('ENOENT') as string,
    });
    await child.end();
  } finally {
    process.execPath = node;
  }
});

it('lets quick sides run several times a turn', async () => {
  const quick = "process.send({ kind: 'ran', milliseconds: 1, cpuMilliseconds: 1 });";
  const [outcome] = await race([side('quick', ready, quick)], options);
  expect(outcome?.timings).toHaveLength(15);
});

it('gives up a side that does not answer, and ends its process', async () => {
  const pid = join(folder, 'pid');
  const hangs = `writeFileSync(${JSON.stringify(pid)}, String(process.pid)); setInterval(() => {}, 1000);`;
  const [outcome] = await race([side('hangs', hangs)], { ...options, limitMs: 1500 });
  expect(outcome?.error?.message).toBe('no answer within 2 s');
  expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow(/ESRCH/);
});

it('stops when it is told to', async () => {
  const controller = new AbortController();
  const reason = new Error('stopped');
  const forever = "process.send({ kind: 'ran', milliseconds: 1, cpuMilliseconds: 1 });";
  const racing = race([side('stopped', ready, forever)], {
    ...options,
    rounds: 1e9,
    onEvent: (event) => event.startsWith('round 2 ') && controller.abort(reason),
    signal: controller.signal,
  });
  await expect(racing).rejects.toBe(reason);
});

it.each([
  ['cold', [false, false]],
  ['warm', [false, true, true]],
] as const)('starts processes anew, %s', async (state, expected) => {
  const seen = join(folder, `seen-${state}`);
  const cache = "process.env.MESA_SHADER_CACHE_DIR + '/shader'";
  const start = `appendFileSync(${JSON.stringify(seen)}, existsSync(${cache}) + '\\n'); writeFileSync(${cache}, ''); ${ready}`;
  const caches = join(folder, `caches-${state}`);
  mkdirSync(caches);
  const [outcome] = await startRace([side(state, start)], state, caches, { ...options, rounds: 2 });
  expect(outcome?.timings).toHaveLength(2);
  expect(outcome?.timings[0]?.milliseconds).toBeGreaterThan(10);
  expect(readFileSync(seen, 'utf8').trim().split('\n')).toEqual(expected.map(String));
  expect(existsSync(caches)).toBe(false);
});
