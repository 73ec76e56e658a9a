import { fileURLToPath } from 'node:url';
import type { Task } from '../protocol.ts';

/** One that takes part in the race. */
export interface Entry {
  readonly name: string;
  /** As tables call it. */
  readonly title: string;
  /** Why a task is not even tried, where trying would take an age; undefined where it is tried. */
  readonly declines?: (task: Task) => string | undefined;
}

/** All contenders, convbase first. Each is a file `<name>/main.js` beside this one. */
export const contenders: readonly Entry[] = [{ name: 'convbase', title: 'convbase' }];

/** The program of a contender. */
export function contenderFile(name: string): string {
  return fileURLToPath(new URL(`./${name}/main.js`, import.meta.url));
}
