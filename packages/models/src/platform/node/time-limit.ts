import { createContext, Script } from 'node:vm';

interface Scope {
  work: () => void;
}

const scope = createContext({ work: () => undefined }) as Scope;
const script = new Script('work()');

/**
 * Runs `work`, which may be a loop without end, and stops it with an error after that many milliseconds.
 *
 * V8 offers this for scripts alone, so `work` is called by one.
 */
export function withTimeLimit<T>(milliseconds: number, work: () => T): T {
  let result: { value: T } | undefined;
  scope.work = () => {
    result = { value: work() };
  };
  script.runInContext(scope, { timeout: milliseconds });
  if (result === undefined) throw new Error('the script did not call');
  return result.value;
}
