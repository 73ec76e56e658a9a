import { createContext, Script } from 'node:vm';
import { ConvbaseError } from '@convbase/base';

interface Scope {
  work: () => void;
}

const scope = createContext({ work: () => undefined }) as Scope;
const script = new Script('work()');

/**
 * Runs `work`, which may be a loop without end, and stops it with an error after that many milliseconds.
 *
 * V8 offers this for scripts alone, so `work` is called by one.
 * @throws ConvbaseError `time/limit`, and what `work` throws
 */
export function withTimeLimit<T>(milliseconds: number, work: () => T): T {
  let result: { value: T } | undefined;
  scope.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(scope, { timeout: milliseconds });
  } catch (error) {
    // An error of the script's context, where Error is another one.
    const { code } = error as { code?: unknown };
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new ConvbaseError('time/limit', `it was not done after ${milliseconds / 1000} s`);
  }
  if (result === undefined) throw new Error('the script did not call');
  return result.value;
}
