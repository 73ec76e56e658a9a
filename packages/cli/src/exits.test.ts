import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ensureDriver } from '@convbase/driver';
import { Random } from '@convbase/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, inChild } from './testing/runs.ts';
import { miniModel, miniOptions, writePictures } from './testing/samples.ts';

/**
 * A process may be asked to end at any moment, also while modules are loaded, a driver is activated or pipelines are
 * compiled, and must neither crash nor linger. Here it is, at moments that a seed decides: `CONVBASE_EXITS=1000` for so
 * many, `CONVBASE_EXITS_SEED=7` for others.
 */
const COUNT = Number(process.env['CONVBASE_EXITS'] ?? 40);
const SEED = Number(process.env['CONVBASE_EXITS_SEED'] ?? 1);
/** How many at once, so that each is held up now and then. */
const AT_ONCE = 2;
const SLOWEST_MS = 5000;

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

/** Every command, with about how many seconds it takes, and what it makes. */
const commands: Record<string, { args: () => string[]; seconds: number }> = {
  doctor: { args: () => ['doctor'], seconds: 3 },
  verify: { args: () => ['verify'], seconds: 6 },
  extract: { args: () => ['extract', at('pictures'), ...miniOptions, '--out', at('out')], seconds: 2 },
  train: { args: () => ['train', at('features'), '--epochs', '30', '--out', at('out')], seconds: 3 },
  'train from pictures': {
    args: () => ['train', at('pictures'), ...miniOptions, '--epochs', '8', '--out', at('out')],
    seconds: 3,
  },
  finetune: {
    args: () => [
      ...['finetune', at('pictures'), ...miniOptions, '--unfreeze-last', '2'],
      ...['--head-epochs', '3', '--epochs', '3', '--out', at('out')],
    ],
    seconds: 5,
  },
  predict: {
    args: () => ['predict', at('classifier'), ...Array<string>(60).fill(at('pictures/bars/000.bmp'))],
    seconds: 2,
  },
  evaluate: { args: () => ['evaluate', at('classifier'), at('pictures')], seconds: 2 },
  profile: { args: () => ['profile', miniModel, '--size', '20', '--batch-size', '2'], seconds: 2 },
  tune: { args: () => ['tune', miniModel, '--size', '20', '--batch-size', '2', '--rounds', '1'], seconds: 6 },
  augment: {
    args: () => ['augment', at('pictures'), '--preview', at('out.png'), '--size', '20', '--horizontal-flip'],
    seconds: 2,
  },
  convert: { args: () => ['convert', miniModel, at('out.safetensors'), '--force'], seconds: 1 },
  summary: { args: () => ['summary', 'inception_v3', '--size', '150'], seconds: 1 },
  'weights list': { args: () => ['weights', 'list'], seconds: 1 },
  'recipe list': { args: () => ['recipe', 'list'], seconds: 1 },
  'bench list': { args: () => ['bench', '--list'], seconds: 1 },
};

const modes = {
  SIGINT: ['SIGINT'],
  SIGTERM: ['SIGTERM'],
  SIGHUP: ['SIGHUP'],
  'SIGINT twice': ['SIGINT', 'SIGINT'],
  'SIGHUP, SIGTERM': ['SIGHUP', 'SIGTERM'],
  'closed stdout': ['stdout'],
  'closed stderr': ['stderr'],
  'closed both': ['stdout', 'stderr'],
  'no descriptors': [],
  'the end': [],
} as const satisfies Record<string, readonly (NodeJS.Signals | 'stdout' | 'stderr')[]>;
type Mode = keyof typeof modes;

interface Exit {
  readonly mode: Mode;
  readonly command: string;
  /** Lines after which an output is closed; 0 from the start. */
  readonly lines: number;
  /** From when the program runs to the first signal, and to a second one. */
  readonly delays: readonly [number, number];
}

function exitOf(index: number): Exit {
  const random = new Random(SEED * 100_000 + index);
  // In turn, so that a small sample has every mode and every command.
  const mode = Object.keys(modes)[index % Object.keys(modes).length] as Mode;
  const names = Object.keys(commands);
  const command = names[Math.floor(index * 1.618 + random.below(names.length)) % names.length] ?? 'verify';
  const first = random.below(1000 * (commands[command]?.seconds ?? 1));
  return { mode, command, lines: random.below(5), delays: [first, random.below(400)] };
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the first signal to the end; null if there was none. */
  readonly lateMs: number | null;
  readonly stderr: string;
}

/** Says when the program itself runs: before that Node leaves every signal to its own action. */
const marker = `process.nextTick(() => { require('node:fs').writeSync(3, 'runs'); });\n`;

async function perform({ mode, command, lines, delays }: Exit): Promise<Ended> {
  const folder = await mkdtemp(at('run-'));
  const args = (commands[command]?.args() ?? []).map((arg) => arg.replace(at('out'), join(folder, 'out')));
  const node = [process.execPath, '--require', at('marker.cjs'), bin, ...args];
  const closing = mode === 'no descriptors' ? ['bash', '-c', 'exec "$@" >&- 2>&-', 'bash'] : [];
  const [program = '', ...rest] = [...closing, ...node];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, CONVBASE_CACHE: at('cache') },
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  let stderr = '';
  const watch = (stream: Readable | null, name: 'stdout' | 'stderr'): void => {
    if (stream === null) return;
    const closes = (modes[mode] as readonly string[]).includes(name);
    if (closes && lines === 0) stream.destroy();
    let seen = 0;
    stream.on('data', (bytes: Buffer) => {
      const text = bytes.toString();
      if (name === 'stderr') stderr += text;
      seen += text.split('\n').length - 1;
      if (closes && seen >= lines) stream.destroy();
    });
  };
  watch(child.stdout, 'stdout');
  watch(child.stderr, 'stderr');
  const times: { signalled?: number } = {};
  const timers: NodeJS.Timeout[] = [];
  const runs = child.stdio[3] as Readable;
  const [signal, another] = (modes[mode] as readonly string[]).filter((what) => what.startsWith('SIG'));
  runs.once('data', () => {
    if (signal === undefined) return;
    const send = (): void => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      times.signalled = Date.now();
      child.kill(signal as NodeJS.Signals);
      if (another === undefined) return;
      timers.push(setTimeout(() => child.kill(another as NodeJS.Signals), delays[1]));
    };
    timers.push(setTimeout(send, delays[0]));
  });
  timers.push(setTimeout(() => child.kill('SIGKILL'), 120_000));
  const [code, by] = await ended;
  for (const timer of timers) clearTimeout(timer);
  const lateMs = times.signalled === undefined ? null : Date.now() - times.signalled;
  await rm(folder, { recursive: true });
  return { code, signal: by, lateMs, stderr };
}

/** What is wrong with an end, if anything. */
function wrong({ mode }: Exit, { code, signal, lateMs, stderr }: Ended): string | undefined {
  if (/\n {4}at |fault in convbase|rror: /.test(stderr)) return 'prints an error';
  if (lateMs !== null && lateMs > SLOWEST_MS) return 'is slow';
  // What cannot be stopped in time is ended by these signals' own action, see `leave`.
  const cut = mode.startsWith('SIG') ? 'SIGINT' : 'SIGPIPE';
  if (signal === cut) return undefined;
  if (signal !== null) return 'is killed';
  if (lateMs !== null && code === 130) return undefined;
  // It had ended by itself, or was about to.
  if (code === 0 && (lateMs === null || lateMs < 1000)) return undefined;
  return 'has another exit code';
}

beforeAll(async () => {
  await ensureDriver(); // child processes find it too, whatever their cache is
  root = await mkdtemp(join(tmpdir(), 'convbase-exits-'));
  await mkdir(at('cache'));
  await writeFile(at('marker.cjs'), marker);
  await writePictures(at('pictures'), 20);
  for (const args of [
    ['extract', at('pictures'), ...miniOptions, '--out', at('features')],
    ['train', at('features'), '--epochs', '2', '--units', '8', '--out', at('classifier')],
  ]) {
    const { code, stderr } = await inChild(args);
    expect(code, stderr).toBe(0);
  }
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

describe.skipIf(process.platform === 'win32')('a process', () => {
  it(
    `ends in order in ${String(COUNT)} ways`,
    async () => {
      const faults: string[] = [];
      const tally = new Map<string, number>();
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < COUNT) {
          const exit = exitOf(next++);
          const ended = await perform(exit);
          const outcome = `${exit.mode}: ${String(ended.signal ?? ended.code)}`;
          tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
          const fault = wrong(exit, ended);
          if (fault === undefined) continue;
          faults.push(`${fault}: ${JSON.stringify({ seed: SEED, ...exit, ...ended })}`);
          console.log(faults.at(-1));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      console.log(
        [...tally]
          .sort()
          .map(([outcome, count]) => `${String(count).padStart(5)} ${outcome}`)
          .join('\n'),
      );
      expect(faults).toEqual([]);
    },
    Math.max(300_000, COUNT * 20_000),
  );

  it.each([
    ['its last line, the device open', 'await work;', 0],
    ['its last line, the device destroyed', 'await work; gpu.destroy();', 0],
    ['process.exit', 'await work; process.exit(3);', 3],
    ['process.exit in the midst', 'setTimeout(() => process.exit(3), MS); await work;', 3],
    ['an error in the midst', 'setTimeout(() => { throw new Error(); }, MS); await work;', 1],
  ])('that uses the library may end by %s', async (_name, end, expected) => {
    const built = (name: string): string => new URL(`../../${name}/dist/index.js`, import.meta.url).href;
    for (const ms of end.includes('MS') ? [0, 10, 20, 30, 40, 50] : [0]) {
      const script = `
        import { openGpu } from '${built('core-gpu')}';
        import { loadModel } from '${built('models')}';
        const gpu = await openGpu();
        const model = await loadModel('${miniModel}', { gpu });
        const work = model.predict({ data: new Float32Array(1200), shape: [1, 20, 20, 3] });
        ${end.replace('MS', String(ms))}`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
      expect(await once(child, 'exit')).toEqual([expected, null]);
    }
  });
});
