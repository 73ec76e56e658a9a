import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConvbaseError } from '../errors.ts';

/** What one input from outside may cost, whatever it is: nobody waits for more, and no machine misses it. */
export const MAX_CPU_SECONDS = 1;
export const MAX_GROWTH_BYTES = 200e6;

/** No message is longer: three parts of at most 2,000 characters, and what stands between them. */
const MAX_MESSAGE = 7000;

/** What reading something cost. */
export interface Cost {
  /** Of all threads of the process, so that another process on the machine does not count. */
  readonly cpuSeconds: number;
  /** The most memory that was in use meanwhile, less what was in use before. */
  readonly growthBytes: number;
}

/** What became of an input: what was read, or the error that says why not. */
export interface Ending<T> {
  readonly result: T | ConvbaseError;
  readonly cost: Cost;
}

/**
 * Runs what reads something hostile. It may give a result or a ConvbaseError; any other error passes through, and so
 * do messages that nobody can read.
 *
 * The compiler and the garbage collector work in the same process, for what came before as well. So what costs too much
 * is read again, after a collection, and the lesser cost counts.
 */
export async function ending<T>(read: () => T | Promise<T>): Promise<Ending<T>> {
  const first = await once(read);
  if (isModest(first.cost)) return first;
  collectGarbage();
  const second = await once(read);
  return {
    result: second.result,
    cost: {
      cpuSeconds: Math.min(first.cost.cpuSeconds, second.cost.cpuSeconds),
      growthBytes: Math.min(first.cost.growthBytes, second.cost.growthBytes),
    },
  };
}

/** The same, where too much time or memory is an error too. */
export async function endsWell<T>(read: () => T | Promise<T>): Promise<T | ConvbaseError> {
  const { result, cost } = await ending(read);
  if (isModest(cost)) return result;
  throw new Error(
    `it took ${cost.cpuSeconds.toFixed(2)} s and ${(cost.growthBytes / 1e6).toFixed(0)} MB, and ended with ${
      result instanceof Error ? result.message : 'a result'
    }`,
  );
}

export function isModest({ cpuSeconds, growthBytes }: Cost): boolean {
  return cpuSeconds < MAX_CPU_SECONDS && growthBytes < MAX_GROWTH_BYTES;
}

async function once<T>(read: () => T | Promise<T>): Promise<Ending<T>> {
  const canReset = resetPeak();
  const before = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  let result: T | ConvbaseError;
  try {
    result = await read();
  } catch (error) {
    if (!(error instanceof ConvbaseError)) throw error;
    if (error.message.length > MAX_MESSAGE) throw new Error('the message is too long', { cause: error });
    result = error;
  }
  const { user, system } = process.cpuUsage(cpu);
  const peak = canReset ? process.resourceUsage().maxRSS * 1024 : process.memoryUsage.rss();
  return { result, cost: { cpuSeconds: (user + system) / 1e6, growthBytes: Math.max(0, peak - before) } };
}

/** Lets Linux forget how much memory the process once had, so that the peak is that of what comes. */
function resetPeak(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false; // a container without it: what is left in the end counts then
  }
}

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
