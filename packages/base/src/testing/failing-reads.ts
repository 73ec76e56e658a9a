import type * as promises from 'node:fs/promises';

/** What the system answers when it is asked about a path. */
export interface FailingRead {
  path: string;
  code: string;
}

/**
 * `node:fs/promises` that says `failing().code` of one path whenever it is looked at or opened, as a system does that has
 * too many files open for a moment. For `vi.mock`.
 */
export function withFailingReads(
  actual: typeof promises,
  failing: () => FailingRead | undefined,
): typeof promises {
  const refusing =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      const now = failing();
      if (now === undefined || args[0] !== now.path) return work(...args);
      return Promise.reject(Object.assign(new Error(`${now.code}: said`), { code: now.code, errno: -1 }));
    };
  const { stat, lstat, readdir, open } = actual;
  const looking = { stat: refusing(stat), lstat: refusing(lstat), readdir: refusing(readdir) };
  return { ...actual, ...looking, open: refusing(open) } as typeof promises;
}
