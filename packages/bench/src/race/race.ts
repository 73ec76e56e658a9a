import type { Reply, Runner, Sample, Task } from '../protocol.ts';
import { Child } from './child.ts';

/** One side of a case. */
export interface Side {
  readonly label: string;
  /** The contender's program. */
  readonly file: string;
  readonly task: Task;
}

export interface Timing {
  readonly milliseconds: number;
  /** Processor time of all threads of the process. */
  readonly cpuMilliseconds: number;
}

/** What became of a side. */
export interface Outcome {
  readonly label: string;
  /** Of each run; empty where it failed. */
  readonly timings: readonly Timing[];
  readonly runner?: Runner;
  readonly outputs?: Readonly<Record<string, Sample>>;
  readonly peakResidentBytes?: number;
  readonly peakGpuBytes?: number;
  readonly error?: { readonly unsupported: boolean; readonly message: string };
}

export interface RaceOptions {
  /** How often the sides take turns. */
  readonly rounds: number;
  /** No further round begins when this much time has passed in rounds, but there are always two. */
  readonly budgetMs: number;
  /** How long a side may take to get ready, and for one run. */
  readonly limitMs: number;
  readonly onEvent?: ((event: string) => void) | undefined;
  /** Ends the race: what runs is stopped, and its reason thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** A turn of a quick side has several runs: so many at the most, and none begins after so long. */
const TURN_RUNS = 5;
const TURN_MS = 250;

interface Running {
  readonly side: Side;
  readonly child: Child;
  readonly runner: Runner;
  readonly outputs: Readonly<Record<string, Sample>>;
  readonly timings: Timing[];
  error?: { readonly unsupported: boolean; readonly message: string };
}

/**
 * Times the sides of a case: each in its own process, made ready one after the other, then run in turn A B A B, so that
 * drifts of the machine hit all of them alike. A side that fails drops out, the others go on.
 */
export async function race(sides: readonly Side[], options: RaceOptions): Promise<Outcome[]> {
  const { rounds, budgetMs, limitMs, onEvent = () => undefined, signal } = options;
  const children: Child[] = [];
  const stop = (): void => {
    for (const child of children) void child.end();
  };
  signal?.addEventListener('abort', stop);
  const outcomes = new Map<Side, Outcome>();
  try {
    const running: Running[] = [];
    for (const side of sides) {
      signal?.throwIfAborted();
      onEvent(`${side.label} gets ready`);
      const child = new Child(side.file, side.task);
      children.push(child);
      const reply = await child.next(limitMs);
      if (reply.kind === 'ready') {
        running.push({ side, child, runner: reply.runner, outputs: reply.outputs, timings: [] });
      } else {
        outcomes.set(side, { label: side.label, timings: [], error: errorOf(reply) });
        await child.end();
      }
    }
    const start = performance.now();
    for (let round = 0; round < rounds; round++) {
      if (round >= 2 && performance.now() - start > budgetMs) break;
      for (const one of running) {
        signal?.throwIfAborted();
        onEvent(`round ${round + 1} of ${rounds}, ${one.side.label}`);
        if (one.error === undefined) await turn(one, limitMs);
      }
    }
    signal?.throwIfAborted();
    for (const one of running) outcomes.set(one.side, await finish(one));
    return sides.map((side) => outcomes.get(side) ?? { label: side.label, timings: [] });
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all(children.map((child) => child.end()));
  }
}

async function turn(one: Running, limitMs: number): Promise<void> {
  const start = performance.now();
  for (let run = 0; run < TURN_RUNS && performance.now() - start < TURN_MS; run++) {
    const reply = await one.child.ask('run', limitMs);
    if (reply.kind !== 'ran') {
      one.error = errorOf(reply);
      await one.child.end();
      return;
    }
    one.timings.push({ milliseconds: reply.milliseconds, cpuMilliseconds: reply.cpuMilliseconds });
  }
}

async function finish({ side, child, runner, outputs, timings, error }: Running): Promise<Outcome> {
  const { label } = side;
  if (error !== undefined) return { label, runner, timings: [], error };
  const reply = await child.ask('end', 10_000);
  await child.end();
  if (reply.kind !== 'ended') return { label, runner, timings: [], error: errorOf(reply) };
  const { kind: _, ...peaks } = reply;
  return { label, runner, outputs, timings, ...peaks };
}

function errorOf(reply: Reply): { unsupported: boolean; message: string } {
  if (reply.kind === 'failed') return { unsupported: reply.unsupported, message: reply.message };
  return { unsupported: false, message: `answered '${reply.kind}' at the wrong time` };
}
