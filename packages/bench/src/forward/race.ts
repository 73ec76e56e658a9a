import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ForwardCase, Reply } from './protocol.ts';
import { relativeDistance } from '../numbers.ts';

export interface Contender {
  readonly name: string;
  readonly adapter: string;
  /** Milliseconds of each run. */
  readonly times: readonly number[];
  /** Relative L2 difference of the features from the first contender's. */
  readonly difference: number;
}

/**
 * Times contenders on one case: each in its own process, warmed up, then run in turn A B A B, so that drifts of
 * the machine hit all of them alike.
 */
export async function race(
  names: readonly string[],
  forwardCase: ForwardCase,
  rounds: number,
  onRound: (round: number) => void = () => undefined,
): Promise<Contender[]> {
  const children: ChildProcess[] = [];
  try {
    const runners = [];
    for (const name of names) {
      const file = fileURLToPath(new URL(`./${name}-contender.js`, import.meta.url));
      const child = fork(file, [JSON.stringify(forwardCase)], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.push(child);
      const ready = await next(child, name);
      if (ready.kind !== 'ready') throw new Error(`${name}: ${JSON.stringify(ready)}`);
      runners.push({ name, child, adapter: ready.adapter, features: ready.features, times: [] as number[] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const runner of runners) {
        const ran = next(runner.child, runner.name);
        runner.child.send('run');
        const answer = await ran;
        if (answer.kind !== 'ran') throw new Error(`${runner.name}: ${JSON.stringify(answer)}`);
        runner.times.push(answer.milliseconds);
      }
      onRound(round + 1);
    }
    const first = runners[0]?.features ?? [];
    return runners.map(({ name, adapter, times, features }) => ({
      name,
      adapter,
      times,
      difference: relativeDistance(features, first),
    }));
  } finally {
    for (const child of children) child.kill();
  }
}

/** The next message of a child; its death is an error. */
function next(child: ChildProcess, name: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`${name} ended with exit code ${String(code)}`));
    };
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as Reply);
    });
  });
}
