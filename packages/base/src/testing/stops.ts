import { watchFileOperations, type FileOperation } from '../node.ts';

/** What a killed process does to files and folders: nothing any more. */
class Stopped extends Error {}

/**
 * Does some work in this process as one that is killed just before its `at`-th operation on files (counted from 0) would
 * do it: that operation and all later ones, of cleaning up too, are not done. Returns what it was to do next; undefined
 * where the work came to its end before.
 *
 * What the work left is this process' own, which still runs: its half-made files count as those of a living one.
 */
export async function stoppedAt(
  at: number,
  work: () => Promise<unknown>,
): Promise<FileOperation | undefined> {
  let done = 0;
  let next: FileOperation | undefined;
  watchFileOperations((operation) => {
    if (done++ < at) return;
    next ??= operation;
    throw new Stopped(`${operation.kind} ${operation.path}`);
  });
  try {
    await work();
  } catch (error) {
    if (next === undefined) throw error;
  } finally {
    watchFileOperations(undefined);
  }
  return next;
}

/**
 * Stops some work at each of its operations on files in turn, each time from the beginning.
 *
 * @param work for the given operation, so that it can have a place of its own
 * @param after what has to hold when it was stopped
 * @returns how many operations the work consists of
 */
export async function stoppedEverywhere(
  work: (at: number) => Promise<unknown>,
  after: (at: number, next: FileOperation) => Promise<unknown>,
): Promise<number> {
  for (let at = 0; ; at++) {
    const next = await stoppedAt(at, () => work(at));
    if (next === undefined) return at;
    try {
      await after(at, next);
    } catch (error) {
      throw new Error(`stopped before operation ${at}: ${next.kind} ${next.path}`, { cause: error });
    }
  }
}
